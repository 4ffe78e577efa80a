"""Seconds from a 10,000-row delivery in the landing zone to its report, through the running scheduler, warm."""

import statistics
import time
from datetime import date, timedelta
from pathlib import Path

from jobs import contracts
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.simulator.city import send
from tests.bench.common import Measures

DATASET = "water_plant_minutes"
ROUNDS = 4
PATIENCE_S = 600


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """The first delivery warms the engine and makes the tables; the median of the others counts."""
    registry = contracts.load(lake.settings.schemas, lake.settings.expectations)
    spent = []
    for number in range(ROUNDS):
        day = date(2026, 1, 12) + timedelta(days=number)
        (one,) = [f for f in send(day, 7, folder, 7.0, only=[DATASET]) if f.dataset == DATASET]
        before = {d.id for d in lake.ledger.deliveries(DATASET)}
        start = time.perf_counter()
        deliver(lake.store, [one.path], one.dataset, one.provider, Manifest(rows=one.declared_rows))
        _wait_for_report(lake, registry.contract(DATASET).provider, before)
        spent.append(time.perf_counter() - start)
    rounds = ", ".join(f"{s:.1f}" for s in spent)
    measures.say("warm_delivery_to_report_s", statistics.median(spent[1:]), "≤ 8", f"10,000 rows; rounds {rounds} s")


def _wait_for_report(lake: Lake, provider: str, before: set[str]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        new = [d for d in lake.ledger.deliveries(DATASET) if d.id not in before]
        if new and lake.store.head(f"{Zone.REPORTS}/{provider}/{DATASET}/{new[0].id}.html"):
            return
        time.sleep(0.2)
    raise TimeoutError(f"no report after {PATIENCE_S} s")
