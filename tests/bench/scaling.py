"""How conform grows with rows, rules and failing rows: each alone, on a warm engine, against the same small case."""

from pathlib import Path

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from tests.bench.checked_write import fresh, write_contract, write_input
from tests.bench.common import Measures, stopwatch
from tests.bench.recheck import broken

BASE = 1_000_000
ROWS = (BASE, 5 * BASE, 20 * BASE)
ROUNDS = 3
"""The base case and each set of rules run so often, the last counts: the engine compiles a long method while it runs."""
RULES = (100, 300)
OWN = 38


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """Seconds and the client's memory by number of rows; seconds by number of rules; 10 % failing rows against 0.1 %."""
    registry = write_contract(folder / "own")
    spent, memory = {}, {}
    first = _sent(lake, registry, _input(folder, BASE))
    _last(lake, registry, first, f"{BASE:,} rows, warming", ROUNDS)
    for rows in ROWS:
        one = first if rows == BASE else _sent(lake, registry, _input(folder, rows))
        spent[rows], memory[rows] = _last(lake, registry, one, f"{rows:,} rows", ROUNDS if rows == BASE else 1)
    for rows in ROWS[1:]:
        ratio = spent[rows] / rows / (spent[BASE] / BASE)
        note = f"{spent[rows]:.1f} s; {spent[BASE]:.1f} s for 1 M rows"
        measures.say(f"rows_{rows // BASE}m_per_row_ratio", ratio, "≤ 1.2", note)
    grown = ", ".join(f"{rows // BASE} M rows {mib} MiB" for rows, mib in memory.items())
    measures.say(
        "client_memory_growth_mib", memory[ROWS[-1]], "flat", f"while judging, above what stood before: {grown}"
    )
    for rules in RULES:
        more = write_contract(folder / f"rules{rules}", rules - OWN)
        seconds, _ = _last(lake, more, first, f"{rules} rules", ROUNDS)
        note = f"{seconds:.1f} s for {rules}, {spent[BASE]:.1f} s for {OWN} rules, 1 M rows"
        measures.say(f"rules_{rules}_per_rule_ratio", seconds / rules / (spent[BASE] / OWN), "< 1", note)
    bad = folder / "bad.csv"
    broken(folder / f"{BASE}.csv", bad, 10)
    seconds, mib = _last(lake, registry, _sent(lake, registry, bad), "10 % failing", 2)
    measures.say("failing_10pct_ratio", seconds / spent[BASE], "≤ 1.6", f"{seconds:.1f} s, 1 M rows, {mib} MiB")


def _input(folder: Path, rows: int) -> Path:
    file = folder / f"{rows}.csv"
    write_input(file, rows)
    return file


def _sent(lake: Lake, registry: Registry, file: Path) -> str:
    deliver(lake.store, [file], "wide", "bench", Manifest())
    (landed,) = land(lake, registry)
    load(lake, registry, landed.delivery.id)
    return landed.delivery.id


def _last(lake: Lake, registry: Registry, delivery: str, what: str, rounds: int) -> tuple[float, int]:
    """Seconds of the last of some runs on new tables, and by how many MiB this process grew at most in it."""
    for number in range(rounds):
        fresh(lake, delivery)
        Path("/proc/self/clear_refs").write_text("5")  # the peak is counted anew
        before = _mib("VmRSS")
        with stopwatch(f"{what}, round {number + 1}") as seconds:
            conform(lake, registry, delivery)
    return seconds[0], _mib("VmHWM") - before


def _mib(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name)) // 1024
