"""The live part of the demo: a day of the water plants, reading by reading, with an alarm that opens and clears."""

import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from jobs.cli.demo_progress import Progress
from jobs.contracts import Registry
from jobs.errors import ServiceUnavailable
from jobs.lake.lake import Lake, opened
from jobs.pipeline.replay import readings_of, replay
from jobs.settings import Settings
from jobs.simulator.live import DATASET, SIMULATED, water_day
from jobs.streams.alarm_store import Alarm, Alarms
from jobs.streams.alarms import AlarmState

SPEED = 4320
"""A day in twenty seconds."""
PATIENCE_S, POLL_S = 120, 0.5


def live(settings: Settings, registry: Registry, progress: Progress) -> None:
    """Send the day, and follow it until its alarm is cleared; ServiceUnavailable where that does not happen."""
    contract = registry.contract(DATASET)
    with opened(settings) as lake, TemporaryDirectory(prefix="lake-live-") as scratch:
        last = max((alarm.id for alarm in _newest(lake)), default=0)
        readings = readings_of(contract, water_day(SIMULATED, SIMULATED.toordinal(), Path(scratch)))
        progress.say(f"live readings / 实时读数: {settings.portal_url}/feeds/{DATASET}")
        said: set[tuple[int, AlarmState]] = set()
        for sent in replay(lake, contract, readings, SPEED):
            progress.show(f"{sent:,} of {len(readings):,} readings sent / 已发送读数")
            said |= set(_say_changes(lake, last, said, progress))
        _await_cleared(lake, last, said, progress)


def _await_cleared(lake: Lake, last: int, said: set[tuple[int, AlarmState]], progress: Progress) -> None:
    """Wait for what the last readings clear."""
    until = progress.seconds() + PATIENCE_S
    while not any(state is AlarmState.CLEARED for _, state in said):
        if progress.seconds() > until:
            raise ServiceUnavailable(f"no alarm was cleared in {PATIENCE_S} s; see `lake stream status` and the logs")
        time.sleep(POLL_S)
        said |= set(_say_changes(lake, last, said, progress))


def _say_changes(
    lake: Lake, last: int, said: set[tuple[int, AlarmState]], progress: Progress
) -> Iterator[tuple[int, AlarmState]]:
    """A line for each alarm after the last one whose state is new."""
    for alarm in _newest(lake):
        if alarm.id > last and (alarm.id, alarm.state) not in said:
            progress.say(f"alarm {alarm.id} {alarm.state}: {alarm.device} {alarm.message}")
            yield alarm.id, alarm.state


def _newest(lake: Lake) -> list[Alarm]:
    return Alarms(lake.streams.database).newest(DATASET, 20)
