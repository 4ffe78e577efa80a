"""Which curated readings a file's readings have as neighbours, against a plain reading of the words."""

from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.contracts.stream import Stream
from jobs.pipeline import curated_neighbours
from jobs.pipeline.curated_neighbours import AT, DEVICE, MOST_SPANS, _near, _within
from jobs.quality.series import ANY_NUMBER

START = datetime(2026, 1, 12, tzinfo=UTC)
PLACES = st.lists(st.tuples(st.sampled_from(("A", "B", "C", None)), st.integers(0, 30)), max_size=25)
STREAM = Stream(event_time="read_at", device="station", context_min=60)


def frame(places: list[tuple[str | None, int]]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            DEVICE: pd.Series([device for device, _ in places], dtype=object),
            AT: pd.Series([START + timedelta(minutes=n) for _, n in places], dtype="datetime64[us, UTC]"),
        }
    )


@given(sent=PLACES, curated=PLACES, count=st.integers(1, 4))
def test_the_nearest_readings_of_each_device_but_those_that_the_file_has(
    sent: list[tuple[str | None, int]], curated: list[tuple[str | None, int]], count: int
) -> None:
    own = {place for place in sent if place[0] is not None}
    if not own:
        return
    known = [place for place in curated if place[0] is not None]
    expected = []
    for device, at in (place for place in known if place not in own):
        line = sorted(
            [(n, 0) for d, n in known if d == device and (d, n) not in own] + [(n, 1) for d, n in own if d == device]
        )
        lowest = next(i for i, (n, is_own) in enumerate(line) if n == at and not is_own)
        same = sum(1 for one in line if one == (at, 0))
        owned = [i for i, (_, is_own) in enumerate(line) if is_own]
        expected.append(any(min(abs(lowest + k - i) for k in range(same)) <= count for i in owned))
    found = set(_near(frame(sorted(own)).dropna(), frame(known), count))
    others = [i for i, place in enumerate(known) if place not in own]
    by_place: dict[tuple[str | None, int], list[bool]] = {}
    for i, near in zip(others, expected, strict=True):
        by_place.setdefault(known[i], []).append(near)
    for place, near in by_place.items():
        kept = sum(1 for i in others if known[i] == place and i in found)
        assert (kept > 0) == near[0], place
    assert not {known[i] for i in found} & own


def test_rules_over_periods_see_all_devices() -> None:
    curated = frame([("A", 1), ("B", 2), ("B", 3)])
    assert list(_near(frame([("A", 1)]), curated, ANY_NUMBER)) == [1, 2]


def test_of_very_many_readings_the_nearest_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(curated_neighbours, "MOST_SEEN", 3)
    curated = frame([("A", n) for n in (1, 5, 8, 12, 13, 40)])
    assert list(_near(frame([("B", 9), ("B", 11)]), curated, ANY_NUMBER)) == [2, 3, 4]


@pytest.mark.parametrize("spans", [1, 2, MOST_SPANS, MOST_SPANS + 1])
def test_readings_far_apart_are_looked_up_around_each_of_them(spans: int) -> None:
    moments = frame([("A", 60 * 24 * 365 * n) for n in range(spans)])[AT]
    expression = str(_within(moments, STREAM))
    assert expression.count(">=") == (spans if spans <= MOST_SPANS else 1)
