"""A labelled event of a waterworks as a file and as a stream: the same flags, and an alarm while it lasts."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd
import yaml

from jobs import contracts
from jobs.lake.lake import Lake
from tests.bench import label_streams, labels
from tests.bench.label_streams import Part

FILE = "water/geccoIC2018Train.csv"
BEGIN, END = "2016-09-22 04:00", "2016-09-22 10:05"
EVENT = datetime(2016, 9, 22, 7, 4, tzinfo=UTC)
"""From 08:04 of the works' clock on, for 157 minutes."""
ORDER: Mapping[str, Any] = {"series": [], "at": "read_at"}
BASELINE = {"period_s": 3600, "back": 3, "least": 120, "readings": 3, "spreads": 6.0}
SUITE: Mapping[str, Any] = {
    "expectations": [
        labels.rule("band", "ph", {"min_value": 7.98, "max_value": 8.7}),
        labels.rule("stuck", "ph", {**ORDER, "intervals": 60, "while_moves": ["redox_mv"]}),
        labels.rule("plateau", "redox_mv", {**ORDER, "limit": 4.0, "readings": 60}),
        labels.rule("depart", "chlorine_dioxide_2_mg_l", {**ORDER, **BASELINE, "limit": 0.046}),
    ]
}


def test_a_labelled_event_as_a_file_and_as_a_stream(lake: Lake, tmp_path: Path) -> None:
    text = yaml.safe_load((labels.CONTRACTS / "sources/water/water_telemetry.yaml").read_text("utf-8"))
    stream = {"event_time": "read_at", "device": "station", "context_min": 240, "seal_after_min": 60}
    registry = label_streams.registry_of(
        tmp_path / "stream",
        label_streams.stream_of(text, "works", stream),
        label_streams.alarming(SUITE, "works", ("band", "depart")),
    )
    one_by_one = ("2016-09-22 08:04", "2016-09-22 08:08")
    part = Part(BEGIN, END, sealed=(("2016-09-22 08:00", "2016-09-22 09:00"),), batch=240, live=(one_by_one,))
    sent = label_streams.sending(registry, "works", labels.DATA / FILE, part)
    label_streams.send(lake, sent, part)
    by_stream, times = label_streams.flags(lake, sent.contract)
    assert len(times) == 60
    by_file = as_file(lake, tmp_path, sent.rows)
    assert not label_streams.differing(by_stream, by_file, times)
    assert {rule for rule, moments in by_file.items() if moments & set(times)} == {
        "band_ph",
        "depart_chlorine_dioxide_2_mg_l",
    }
    opened = [(rule, (at - EVENT).total_seconds() / 60) for rule, at, _ in label_streams.opened(lake, sent.contract)]
    # Off from the second reading on, and from the first, which `depart` flags with the third: as the file's flags would.
    assert {alarm for alarm in opened if alarm[1] >= 0} == {("band_ph", 2), ("depart_chlorine_dioxide_2_mg_l", 1)}


def as_file(lake: Lake, folder: Path, rows: pd.DataFrame) -> label_streams.Flags:
    """The flags of the same rows in one file."""
    file = folder / "works.csv"
    rows.drop(columns="station").to_csv(file, index=False)
    suite = folder / "expectations/sources/water/water_telemetry.yaml"
    suite.parent.mkdir(parents=True)
    suite.write_text(yaml.safe_dump({"name": "water_telemetry", **SUITE}, allow_unicode=True), "utf-8")
    registry = contracts.load(labels.CONTRACTS, folder / "expectations")
    found = labels.judged(lake, registry, "water_telemetry", file)
    zone = registry.contract("water_telemetry").layout.timezone
    at = pd.to_datetime(rows["Time"]).dt.tz_localize(zone).dt.tz_convert(UTC).tolist()
    return {rule: {at[row - 2].to_pydatetime() for row in numbers} for rule, numbers in found.items()}
