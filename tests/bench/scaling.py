"""How conform grows with rows, rules and failing rows: each alone, on a warm engine, against the same small case."""

from pathlib import Path

from jobs.contracts import Catalogue
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.pipeline.arrival import land, load
from jobs.pipeline.judging import conform
from tests.bench.checked_write import fresh, write_contract, write_input
from tests.bench.common import Measures, stopwatch
from tests.bench.recheck import broken

BASE = 1_000_000
ROWS = (BASE, 5 * BASE)
RULES = (100, 300)
OWN = 38


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """Seconds a million rows by number of rows; seconds a rule by number of rules; 10 % failing rows against 0.1 %."""
    catalogue = write_contract(folder / "own")
    files = {rows: folder / f"{rows}.csv" for rows in ROWS}
    for rows, file in files.items():
        write_input(file, rows)
    ids = {rows: _sent(lake, catalogue, file) for rows, file in files.items()}
    spent = {rows: _second(lake, catalogue, one, f"{rows:,} rows") for rows, one in ids.items()}
    small, large = ROWS
    ratio = spent[large] / large / (spent[small] / small)
    measures.say(
        "rows_5m_per_row_ratio", ratio, "≤ 1.2", f"{spent[large]:.1f} s for 5 M, {spent[small]:.1f} s for 1 M rows"
    )
    for rules in RULES:
        more = write_contract(folder / f"rules{rules}", rules - OWN)
        seconds = _second(lake, more, ids[BASE], f"{rules} rules")
        note = f"{seconds:.1f} s for {rules}, {spent[BASE]:.1f} s for {OWN} rules, 1 M rows"
        measures.say(f"rules_{rules}_per_rule_ratio", seconds / rules / (spent[BASE] / OWN), "< 1", note)
    bad = folder / "bad.csv"
    broken(files[BASE], bad, 10)
    seconds = _second(lake, catalogue, _sent(lake, catalogue, bad), "10 % failing")
    measures.say("failing_10pct_ratio", seconds / spent[BASE], "≤ 1.6", f"{seconds:.1f} s, 1 M rows")


def _sent(lake: Lake, catalogue: Catalogue, file: Path) -> str:
    deliver(lake.store, [file], "wide", "bench", Manifest())
    (landed,) = land(lake, catalogue)
    load(lake, catalogue, landed.delivery.id)
    return landed.delivery.id


def _second(lake: Lake, catalogue: Catalogue, delivery: str, what: str) -> float:
    """Seconds of the second of two runs on new tables."""
    spent = 0.0
    for number in range(2):
        fresh(lake, delivery)
        with stopwatch(f"{what}, round {number + 1}") as seconds:
            conform(lake, catalogue, delivery)
        spent = seconds[0]
    return spent
