"""What the tests of field probes share: a probe, its contract, and its way through the lake."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jobs.contracts import Elements, Registry
from jobs.ingest.kinds import LocalFile
from jobs.ingest.proposal import propose
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.delivery import State
from jobs.model.verdict import Verdict
from jobs.settings import PROJECT
from tests.contract_texts import contract

ELEMENTS = PROJECT / "schemas" / "elements"
HERE = Path(__file__).parent
APPEND = "  - {property: write, value: {mode: append}}\n"
Go = Callable[..., Verdict]


def fields(*types: str) -> str:
    """Field lines from `name:type` words; `name:type{…}` adds a `source`."""
    lines = []
    for word in types:
        name, _, kind = word.partition(":")
        kind, brace, source = kind.partition("{")
        more = f", customProperties: [{{property: source, value: {{{source}}}]" if brace else ""
        lines.append(f'      - {{name: "{name}", logicalType: {kind}{more}}}')
    return "\n".join(lines)


@dataclass(frozen=True)
class Probe:
    """A file, how its dataset is promised (`types`; none: as proposed), and what is right.

    `counts`: rows, good, failed, copies. `silver`: some columns of the good rows. `held`: texts in the held rows' raw.
    """

    file: str
    counts: tuple[int, int, int, int]
    types: tuple[str, ...] = ()
    layout: str = "{}"
    columns: tuple[str, ...] = ()
    silver: tuple[tuple[Any, ...], ...] = ()
    held: tuple[str, ...] = ()
    findings: tuple[str, ...] = ()
    limit: int = 100
    id: str = field(default="")


def promised(write_contracts: Callable[..., Registry], probe: Probe, folder: Path) -> Registry:
    if not probe.types:
        elements = Elements.load(ELEMENTS)
        text = propose(LocalFile(Path(probe.file).name, HERE / probe.file), "probe", "heat", folder, elements)
        shared = {f"schemas/elements/{file.name}": file.read_text("utf-8") for file in ELEMENTS.glob("*.yaml")}
        return write_contracts({**shared, "schemas/sources/heat/probe.yaml": text})
    accept = f"  - {{property: acceptance, value: {{max_failed_rows_pct: {probe.limit}}}}}\n"
    layout = f"  - {{property: layout, value: {probe.layout}}}\n"
    text = contract("probe", fields(*probe.types), layout + accept + APPEND)
    return write_contracts({"schemas/sources/heat/probe.yaml": text})


def rows_of(lake: Lake, zone: Zone, *columns: str) -> list[tuple[Any, ...]]:
    path = lake.path(zone, "probe")
    if not lake.tables.exists(path):
        return []
    return [tuple(row) for row in lake.tables.read(path).select(*(f"`{c}`" for c in columns)).collect()]


def check(lake: Lake, write_contracts: Callable[..., Registry], go: Go, folder: Path, probe: Probe) -> None:
    """The probe's file comes out exactly, or is held back and told."""
    registry = promised(write_contracts, probe, folder)
    verdict = go(registry, HERE / probe.file)
    assert (verdict.rows, verdict.good_rows, verdict.failed_rows, verdict.copies) == probe.counts, verdict.reason
    assert verdict.state is not State.REFUSED or probe.counts[1] == 0
    if probe.silver:
        assert sorted(rows_of(lake, Zone.SILVER, *probe.columns), key=str) == sorted(probe.silver, key=str)
    held = [raw for (raw,) in rows_of(lake, Zone.QUARANTINE, "raw")]
    assert len(held) == probe.counts[2] and all(json.loads(raw) for raw in held)
    assert [text for text in probe.held if not any(text in raw for raw in held)] == []
    shapes = [value for rule, value in rows_of(lake, Zone.EVIDENCE, "rule", "value") if rule == "row_shape"]
    assert len(shapes) == sum("_line" in json.loads(raw) for raw in held) and all(shapes)
    told = {finding.kind for finding in lake.ledger.get(verdict.delivery).findings}
    assert set(probe.findings) <= told
