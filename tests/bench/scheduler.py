"""Small deliveries a minute from the landing zone to their reports, through the running scheduler, warm; and what idling costs."""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import date, timedelta
from pathlib import Path

import psutil

from jobs import embedded
from jobs.embedded import process
from jobs.embedded.home import pid_file
from jobs.embedded.lifecycle import SERVICES
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.delivery import JUDGED
from jobs.simulator.city import SentFile, send
from tests.bench.common import Measures, stopwatch

REFERRED = ("divisions", "townships", "facility_points")
DATASETS = (
    "devices", "enterprise_registration", "admin_permits", "admin_penalties", "hotline_orders", "air_quality_hourly",
)  # fmt: skip
WARM_DAYS, DAYS, SCALE = 2, 5, 0.2
FIRST_DAY = date(2026, 1, 12)
PATIENCE_S = 900
QUIET_S, SAMPLE_S = 300, 60
"""How long nothing is delivered before idling is measured, and for how long it is."""


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """The first days make the tables and warm the engine; the rest are handed over at once."""
    every = [_of_day(folder, number) for number in range(WARM_DAYS + DAYS)]
    for number, files in enumerate(every[:WARM_DAYS]):
        registers = [file for file in files if file.dataset in (*REFERRED, "devices", "enterprise_registration")]
        with stopwatch(f"day {number + 1}"):
            _until_reported(lake, _handed_over(lake, registers))
            _until_reported(lake, _handed_over(lake, [file for file in files if file not in registers]))
    rest = [file for files in every[WARM_DAYS:] for file in files]
    start = time.perf_counter()
    _until_reported(lake, _handed_over(lake, rest))
    minutes = (time.perf_counter() - start) / 60
    rows = sorted(file.declared_rows for file in rest)
    note = f"{len(rest)} deliveries of {rows[0]} to {rows[-1]} rows, {len(DATASETS)} datasets, in {60 * minutes:.1f} s"
    measures.say("small_deliveries_per_min", len(rest) / minutes, "≥ 30", note)
    _measure_idle(lake, measures)


def _measure_idle(lake: Lake, measures: Measures) -> None:
    """All services, some minutes after the last delivery."""
    home = lake.settings.home.resolve()
    time.sleep(QUIET_S)
    before = _processor_s(home)
    time.sleep(SAMPLE_S)
    spent = {name: seconds - before.get(name, 0.0) for name, seconds in _processor_s(home).items()}
    most = sorted(spent, key=lambda name: -spent[name])[:3]
    note = ", ".join(f"{name} {100 * spent[name] / SAMPLE_S:.1f}" for name in most)
    measures.say("idle_cpu_pct", 100 * sum(spent.values()) / SAMPLE_S, "≤ 10", f"of one core, in {SAMPLE_S} s; {note}")
    memory = {one.name: one.rss_mib or 0 for one in embedded.status(lake.settings)}
    note = f"all services, shared pages once, after {QUIET_S // 60} quiet minutes; spark {memory['spark']} MiB"
    measures.say("demo_memory_gib", sum(memory.values()) / 1024, "≤ 4", note)


def _of_day(folder: Path, number: int) -> list[SentFile]:
    names = (*(() if number else REFERRED), *DATASETS)
    sent = send(FIRST_DAY + timedelta(days=number), 7, folder, SCALE, only=names)
    return [file for file in sent if file.supersedes_of is None]


def _handed_over(lake: Lake, files: Iterable[SentFile]) -> list[str]:
    keys: list[str] = []
    for file in files:
        keys += deliver(lake.store, [file.path], file.dataset, file.provider, Manifest(rows=file.declared_rows))
    return keys


def _until_reported(lake: Lake, keys: Sequence[str]) -> None:
    """Return when each of these objects is a delivery with a report."""
    deadline, left = time.monotonic() + PATIENCE_S, dict.fromkeys(keys, "")
    while left := {key: report for key, report in _reports(lake, left).items() if not _is_there(lake, report)}:
        if time.monotonic() > deadline:
            raise TimeoutError(f"no report after {PATIENCE_S} s: {list(left)}")
        time.sleep(0.5)


def _reports(lake: Lake, left: Mapping[str, str]) -> dict[str, str]:
    """Key of the report of each object that is a delivery with a verdict by now."""
    evaluated = {one.id: one for one in lake.ledger.deliveries(states=JUDGED)}
    found = {key: evaluated.get(lake.ledger.delivery_of(key) or "") for key, report in left.items() if not report}
    new = {key: f"{Zone.REPORTS}/{d.provider}/{d.dataset}/{d.id}.html" for key, d in found.items() if d}
    return {**left, **new}


def _is_there(lake: Lake, report: str) -> bool:
    return bool(report) and lake.store.head(report) is not None


def _processor_s(home: Path) -> dict[str, float]:
    """Processor time of each service's living processes, with that of their ended children."""
    parts = [part for service in SERVICES.values() for part in service.parts]
    return {name: sum(_times(process.members(home, name, process.read(pid_file(home, name))))) for name in parts}


def _times(pids: Iterable[int]) -> Iterator[float]:
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            yield sum(psutil.Process(pid).cpu_times()[:4])
