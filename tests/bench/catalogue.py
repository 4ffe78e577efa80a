"""How soon a search over a large catalogue answers."""

import statistics
import time
from collections.abc import Iterator
from dataclasses import replace

from jobs import contracts
from jobs.catalogue import Entry, Index, Item, entries
from jobs.settings import PROJECT
from tests.bench.common import Measures

COUNT = 10_000
WORDS = (
    "水厂", "数据", "统一社会信用代码", "shuichang", "sczt", "gx", "暖气 温度", "行政区划 供热", "heat", "县区03 室温", "没有这样的数据", "信息",
)  # fmt: skip


def measure(measures: Measures) -> None:
    """Entries are the shipped ones again and again, with titles, items and departments of their own."""
    shipped = entries(contracts.load(PROJECT / "schemas", PROJECT / "expectations"))
    began = time.perf_counter()
    index = Index(_many(shipped))
    built = time.perf_counter() - began
    waits = sorted(_wait(index, words) for words in WORDS for _ in range(10))
    note = f"{COUNT:,} entries, {len(WORDS)} searches; median {statistics.median(waits):.1f} ms; index in {built:.1f} s"
    measures.say("catalogue_search_p95_ms", waits[int(len(waits) * 0.95)], "≤ 50", note)


def _many(shipped: tuple[Entry, ...]) -> Iterator[Entry]:
    for number in range(COUNT):
        entry, place = shipped[number % len(shipped)], f"县区{number // len(shipped):03d}"
        own = Item(f"own_{number}", f"{place}自有字段{number % 97}", "string", "", "L1")
        yield replace(
            entry, id=f"{entry.id}_{number}", title=f"{place}{entry.title}", department=f"{place}{entry.department}",
            items=(*entry.items, own),
        )  # fmt: skip


def _wait(index: Index, words: str) -> float:
    """Milliseconds."""
    began = time.perf_counter()
    index.find(words)
    return 1000 * (time.perf_counter() - began)
