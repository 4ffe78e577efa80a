"""Deliveries of several generated files with a number among their texts, and what must become of every row."""

import unicodedata
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from jobs.contracts import Registry, load
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land
from jobs.pipeline.ingestion import load as load_delivery
from tests.contract_texts import contract
from tests.corpus.files import CELLS, FORMATS_WITH_ODD_ROWS, NAMES, ODD_ROWS, Row, with_odd_rows, written

NUMBER = 2
"""Place of the number among the columns."""
GOOD_NUMBERS = st.integers(-9999, 9999).map(str) | st.sampled_from(
    ("0.5", "-12.25", "1e3", "１２．５", "+7", ".25", "0007")
)
WRONG_NUMBERS = st.sampled_from(("abc", "1,2", "NaN", "12..5", "0x1F", "1_000", "一百", "1e400", "--", "12kg"))


@dataclass(frozen=True)
class Delivered:
    """Files by name, the layout of their contract, and their rows; `left_out` counts rows that are no data, by kind."""

    kind: str
    files: dict[str, bytes]
    layout: str
    rows: tuple[Row, ...]
    left_out: dict[str, int]


@st.composite
def deliveries(draw: st.DrawFn, kind: str, files: int) -> Delivered:
    """Files of one format whose rows hold texts, a number that may be wrong, and empty cells."""
    number = st.none() | GOOD_NUMBERS | WRONG_NUMBERS
    row = st.tuples(CELLS, st.none() | CELLS, number, *(st.none() | CELLS for _ in NAMES[NUMBER + 1 :]))
    contents, rows, left_out, layout = {}, [], Counter[str](), ""
    delimiter = draw(st.sampled_from((",", ";", "\t", "|")))
    for place in range(files):
        own = draw(st.lists(row, min_size=1, max_size=8))
        kinds = ODD_ROWS[:-1] if kind in FORMATS_WITH_ODD_ROWS else ()
        odd = draw(st.lists(st.tuples(st.sampled_from(kinds), st.integers(0, len(own))), max_size=2)) if kinds else []
        lines = with_odd_rows(NAMES, tuple(own), odd)
        content, ending, layout = written(draw, kind, NAMES, lines, delimiter)
        contents[f"数据{place}.{ending}"] = content
        rows += own
        left_out.update(found for found, _ in odd)
    return Delivered(kind, contents, f"{{format: {kind}{layout}}}", tuple(rows), dict(left_out))


def promised(dataset: str, layout: str, folder: Path) -> Registry:
    """A contract of texts and a number with these headers."""
    types = ["number" if place == NUMBER else "string" for place in range(len(NAMES))]
    fields = "\n".join(
        f"      - {{name: c{i}, logicalType: {type_}, customProperties: [{{property: source, value: {{header: {NAMES[i]}}}}}]}}"
        for i, type_ in enumerate(types)
    )
    properties = f"  - {{property: layout, value: {layout}}}\n  - {{property: write, value: {{mode: append}}}}\n"
    file = folder / "schemas" / "sources" / "heat" / f"{dataset}.yaml"
    file.parent.mkdir(parents=True)
    (folder / "expectations").mkdir()
    file.write_text(contract(dataset, fields, properties), "utf-8")
    return load(folder / "schemas", folder / "expectations")


def value_of(text: str | None) -> float | None:
    """The number that a text is, as a finite decimal number; ValueError for any other text."""
    if text is None:
        return None
    plain = unicodedata.normalize("NFKC", text.strip())
    value = float(plain)
    if (
        plain.lower().strip("+-") in ("nan", "inf", "infinity")
        or value in (float("inf"), float("-inf"))
        or "_" in plain
    ):
        raise ValueError(text)
    return value


def is_good(row: Row) -> bool:
    """Whether the row's number is one."""
    try:
        value_of(row[NUMBER])
    except ValueError:
        return False
    return True


def accounted(lake: Lake, sent: Delivered, dataset: str, folder: Path) -> None:
    """Each distinct row is in silver with its values or held back with its text; each other row is a copy or left out."""
    files = []
    for name, content in sent.files.items():
        (folder / name).write_bytes(content)
        files.append(folder / name)
    registry = promised(dataset, sent.layout, folder / "contracts")
    deliver(lake.store, files, dataset, "heat", Manifest())
    (new,) = [one.delivery.id for one in land(lake, registry) if one.is_new]
    delivery = load_delivery(lake, registry, new)
    conform(lake, registry, new)
    verdict = Results(lake.delta, lake.settings.s3_bucket).verdict(new)
    assert verdict is not None
    distinct = [_trimmed(row) for row in dict.fromkeys(sent.rows)]
    good, held = [row for row in distinct if is_good(row)], [row for row in distinct if not is_good(row)]
    assert (verdict.rows, verdict.copies) == (len(distinct), len(sent.rows) - len(distinct))
    assert (verdict.good_rows, verdict.failed_rows) == (len(good), len(held))
    names = [f"c{place}" for place in range(len(NAMES))]
    if good:
        assert _counted(lake, Zone.SILVER, dataset, names) == Counter(_typed(row) for row in good)
    quarantined = _counted(lake, Zone.QUARANTINE, dataset, ["reasons"]) if held else Counter()
    assert quarantined == Counter({(("c2_type",),): len(held)} if held else {})
    reported = {
        found.kind: found.detail.get("count", 0) for found in delivery.findings if found.kind.startswith("rows_")
    }
    assert reported == sent.left_out


def _trimmed(row: Row) -> Row:
    return tuple(None if cell is None else cell.strip() or None for cell in row)


def _typed(row: Row) -> tuple[Any, ...]:
    return tuple(value_of(cell) if place == NUMBER else cell for place, cell in enumerate(row))


def _counted(lake: Lake, zone: Zone, dataset: str, names: list[str]) -> Counter[tuple[Any, ...]]:
    table = lake.delta.open(lake.path(zone, dataset))
    assert table is not None
    rows = table.to_pyarrow_table(columns=names).to_pylist()
    return Counter(tuple(_plain(row[name]) for name in names) for row in rows)


def _plain(value: Any) -> Any:
    if isinstance(value, str):
        return value.strip() or None
    return tuple(value) if isinstance(value, list) else value
