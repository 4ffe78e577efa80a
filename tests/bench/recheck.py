"""Seconds to judge a redelivery of 2 M rows on the 100,000 keys that failed before, warm."""

import statistics
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from jobs.pipeline.recheck_delivery import recheck
from tests.bench.checked_write import write_contract, write_input
from tests.bench.common import Measures, stopwatch

FAILED = 100_000
ROUNDS = 3
BROKEN = "200000"
"""A `count` beyond its band."""


def measure(lake: Lake, folder: Path, measures: Measures, rows: int = 2_000_000) -> None:
    """A delivery with 100,000 bad rows, and one in which all but a thousandth of them are mended."""
    registry = write_contract(folder)
    good, bad, again = folder / "good.csv", folder / "bad.csv", folder / "again.csv"
    write_input(good, rows)
    every = max(rows // FAILED, 1)
    broken(good, bad, every)
    broken(good, again, every * 1000)
    first, second = _sent(lake, registry, bad), _sent(lake, registry, again)
    conform(lake, registry, first)
    spent = []
    for number in range(ROUNDS):
        with stopwatch(f"recheck, round {number + 1}") as seconds:
            proofs = {p.request.rule: p.proof for p in recheck(lake, registry, first, second)}
        spent.append(seconds[0])
    one = proofs["count_range"]
    note = f"{one.mended:,} mended, {one.remaining:,} remain; rounds {', '.join(f'{s:.1f}' for s in spent)} s"
    measures.say("recheck_100k_of_2m_s", statistics.median(spent[1:]), "≤ 20", note)


def broken(source: Path, target: Path, every: int) -> None:
    """The file with each so-manieth row's `count` beyond its band."""
    texts = pc.ConvertOptions(column_types={"count": pa.string()})
    table = pc.read_csv(source, convert_options=texts)
    column = table["count"].to_pylist()
    column[::every] = [BROKEN] * len(column[::every])
    place = table.schema.get_field_index("count")
    pc.write_csv(table.set_column(place, "count", pa.array(column)), target, pc.WriteOptions(quoting_style="needed"))


def _sent(lake: Lake, registry: Registry, file: Path) -> str:
    deliver(lake.store, [file], "wide", "bench", Manifest())
    (landed,) = land(lake, registry)
    load(lake, registry, landed.delivery.id)
    return landed.delivery.id
