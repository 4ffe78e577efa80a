"""A file's readings are sent in order, with times that end now, in the formats that the contract reads."""

import json
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from jobs.contracts import load_usable
from jobs.errors import UserError
from jobs.model.delivery import STATE_WORDS, State
from jobs.pipeline import replay as replaying
from jobs.pipeline.replay import readings_of, replay
from jobs.pipeline.stream_messages import bronze_of
from jobs.reporting import labels
from jobs.settings import PROJECT
from jobs.simulator.live import DATASET, water_day

REGISTRY = load_usable(PROJECT / "schemas", PROJECT / "expectations")


class Topic:
    """Takes messages as a producer does."""

    def __init__(self) -> None:
        self.values: list[dict[str, str]] = []

    def produce(self, topic: str, value: bytes, key: str) -> None:
        self.values.append(json.loads(value))

    def flush(self, seconds: float) -> int:
        return 0


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[dict[str, str]]:
    """The messages of a day of water readings."""
    topic, lake = Topic(), type("Lake", (), {"settings": type("Settings", (), {"kafka_prefix": ""})()})()
    monkeypatch.setattr(replaying, "ensure_topics", lambda *_: None)
    monkeypatch.setattr(replaying, "producer", lambda _: topic)
    contract = REGISTRY.contract(DATASET)
    readings = readings_of(contract, water_day(date(2026, 1, 12), 1, tmp_path))
    counts = list(replay(lake, contract, readings, 1e9, pause=lambda _: None))  # type: ignore[arg-type]
    assert counts[-1] == len(readings) == len(topic.values)
    return topic.values


def test_times_end_now_and_keep_their_distances(sent: list[dict[str, str]]) -> None:
    times = [datetime.strptime(row["read_at"], "%Y-%m-%d %H:%M:%S") for row in sent]
    steps = {after - before for before, after in pairwise(times)}
    assert steps == {timedelta(0), timedelta(minutes=5)}
    ended = datetime.now(UTC) + timedelta(hours=8) - times[-1].replace(tzinfo=UTC)
    assert timedelta(0) <= ended < timedelta(minutes=5)


def test_every_time_is_in_a_format_that_the_contract_reads(sent: list[dict[str, str]]) -> None:
    rows = bronze_of(REGISTRY.contract(DATASET), [json.dumps(row).encode() for row in sent[:3]])
    assert rows["received_at"].to_pylist() == [row["received_at"] for row in sent[:3]]
    datetime.strptime(sent[0]["received_at"], "%Y-%m-%d %H:%M:%S")


def test_one_plant_is_beyond_the_limit_for_a_while(sent: list[dict[str, str]]) -> None:
    beyond = [row["device_id"] for row in sent if float(row["out_turbidity_ntu"]) > 1]
    assert len(beyond) >= 2
    assert len(set(beyond)) == 1


def test_a_file_without_times_and_a_dataset_without_a_stream_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text("设备编号,采集时间\nW1,\n", "utf-8")
    with pytest.raises(UserError):
        readings_of(REGISTRY.contract("divisions"), file)


@pytest.mark.parametrize("marks", [STATE_WORDS, labels.MARKS, labels.TONES])
def test_every_state_of_a_delivery_has_words_and_a_mark(marks: dict[State, Any]) -> None:
    assert set(marks) == set(State)
