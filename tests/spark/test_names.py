"""Whatever people call their columns, rows, values and reports are those of any other name."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.system_tables import system_contract
from jobs.lake.zones import Zone
from jobs.model.verdict import Verdict
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from jobs.pipeline.query import ask
from jobs.pipeline.verification import verify
from jobs.reporting import write_report
from tests.contract_texts import contract
from tests.own_names import names_of_people, own_names

Rows = list[list[str]]
NAMES = names_of_people()


def way(lake: Lake, registry: Registry, file: Path) -> Verdict:
    """The file of dataset `named`, from landing to its report; every number of the report is found again."""
    deliver(lake.store, [file], "named", "heat", Manifest())
    (landed,) = land(lake, registry)
    assert load(lake, registry, landed.delivery.id).reason == ""
    verdict = conform(lake, registry, landed.delivery.id)
    write_report(lake, registry, verdict.delivery, datetime.now(UTC))
    assert verify(lake, registry, verdict.delivery).differing() == []
    return verdict


def one_column_apart(width: int) -> Rows:
    """Rows of which each differs from all others in one column alone."""
    return [[f"w{i}" if i == at else "v" for i in range(width)] for at in range(-1, width)]


def as_csv(file: Path, header: list[str], rows: Rows) -> Path:
    file = file.with_suffix(".csv")
    file.write_text("\n".join(",".join(row) for row in [header, *rows]), "utf-8")
    return file


def as_excel(file: Path, header: list[str], rows: Rows) -> Path:
    book = openpyxl.Workbook()
    for row in [header, *rows]:
        book.active.append(row)
    book.save(file.with_suffix(".xlsx"))
    return file.with_suffix(".xlsx")


def as_json(file: Path, header: list[str], rows: Rows) -> Path:
    file = file.with_suffix(".json")
    file.write_text(json.dumps([dict(zip(header, row, strict=True)) for row in rows]), "utf-8")
    return file


def as_jsonl(file: Path, header: list[str], rows: Rows) -> Path:
    file = file.with_suffix(".jsonl")
    file.write_text("\n".join(json.dumps(dict(zip(header, row, strict=True))) for row in rows), "utf-8")
    return file


def as_parquet(file: Path, header: list[str], rows: Rows) -> Path:
    columns = [pa.array([row[i] for row in rows]) for i in range(len(header))]
    pq.write_table(pa.Table.from_arrays(columns, names=header), file.with_suffix(".parquet"))
    return file.with_suffix(".parquet")


FORMATS = {"csv": as_csv, "excel": as_excel, "json": as_json, "jsonl": as_jsonl, "parquet": as_parquet}


def test_fields_of_any_name_keep_every_row_and_every_value(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path
):
    short = "logicalType: string, logicalTypeOptions: {maxLength: 4}"
    fields = "\n".join(f'      - {{name: "{name}", {short}}}' for name in NAMES)
    number = '\n      - {name: zz_level, logicalType: number, customProperties: [{property: source, value: {units: {"℃": 1}}}]}'
    registry = write_contracts(
        {
            "schemas/sources/heat/named.yaml": contract(
                "named", fields + number, "  - {property: write, value: {mode: append}}\n"
            )
        }
    )
    header, rows = [*NAMES, "zz_level"], [[*row, f"{i}℃"] for i, row in enumerate(one_column_apart(len(NAMES)))]
    for row in rows:
        row[-1] = "7℃"
    rows.append([f"long{i}" for i in range(len(NAMES))] + ["bad"])
    verdict = way(lake, registry, as_csv(tmp_path / "named", header, rows))
    assert (verdict.copies, verdict.good_rows, verdict.failed_rows) == (0, len(rows) - 1, 1)
    silver = lake.tables.read(lake.path(Zone.SILVER, "named")).orderBy("_row").collect()
    assert [[r[name] for name in NAMES] for r in silver] == [row[:-1] for row in rows[:-1]]
    (held,) = lake.tables.read(lake.path(Zone.QUARANTINE, "named")).collect()
    assert json.loads(held.raw) == dict(zip(header, rows[-1], strict=True))
    told = lake.tables.read(lake.path(Zone.EVIDENCE, "named")).collect()
    assert {(r.field, r.value) for r in told} == set(zip(header, rows[-1], strict=True))


@pytest.mark.parametrize("format_", FORMATS)
def test_columns_beyond_the_contract_of_any_name_and_case_keep_every_row_and_every_value(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path, format_: str
):
    layout = f"  - {{property: layout, value: {{format: {format_}, extra_columns: evolve}}}}\n"
    suite = (
        'name: named\nmeta: {lookups: {registered: {dataset: named_too, "on": {zz_id: zz_id}}}}\nexpectations:\n'
        "  - id: known\n    type: expect_multicolumn_values_to_satisfy\n"
        "    kwargs: {column_list: [zz_id, zz_level], condition: registered.zz_id IS NULL OR zz_level > 0, ignore_row_if: never}\n"
        "    severity: warning\n    meta: {dimension: 一致性, message: 不符, remedy: 请核对, basis: 约定}\n"
    )
    fields = "      - {name: zz_id, logicalType: string}\n      - {name: zz_level, logicalType: number, customProperties: [{property: source, value: {censored: true}}]}\n"
    other = "      - {name: zz_id, logicalType: string, primaryKey: true, primaryKeyPosition: 1}\n"
    append = "  - {property: write, value: {mode: append}}\n"
    registry = write_contracts(
        {
            "schemas/sources/heat/named.yaml": contract("named", fields, layout + append),
            "schemas/sources/heat/named_too.yaml": contract("named_too", other),
            "expectations/sources/heat/named.yaml": suite,
        }
    )
    lake.delta.ensure(lake.path(Zone.SILVER, "named_too"), [_spec("zz_id")], "空")
    cases = [*(n.upper() for n in NAMES), *own_names()] if format_ == "csv" else []
    people = [*NAMES, *cases, "registered", "zz_level_qualifier"]
    header = ["zz_id", "zz_level", *people]
    rows = [[f"k{i}", "1", *row] for i, row in enumerate(one_column_apart(len(people)))]
    for row in rows:
        row[0] = "k"
    rows.append(["k", "bad", *(f"x{i}" for i in range(len(people)))])
    verdict = way(lake, registry, FORMATS[format_](tmp_path / "named", header, rows))
    assert (verdict.copies, verdict.good_rows, verdict.failed_rows) == (0, len(rows) - 1, 1)
    silver = lake.tables.read(lake.path(Zone.SILVER, "named")).orderBy("_row")
    own = {"zz_id", "zz_level", "zz_level_qualifier", *(f.name for f in system_contract(Zone.SILVER).fields)}
    names = [name for name in silver.columns if name not in own]
    assert len(names) == len(people)
    values = [sorted(r[name] for name in names) for r in silver.collect()]
    assert values == [sorted(row[2:]) for row in rows[:-1]]
    (held,) = lake.tables.read(lake.path(Zone.QUARANTINE, "named")).collect()
    assert sorted(json.loads(held.raw).values()) == sorted(rows[-1])


def _spec(name: str) -> object:
    from jobs.lake.table_schema import ColumnSpec

    return ColumnSpec(name, "string")


def test_keys_partitions_and_marks_of_any_name_are_merged_and_asked_for(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path
):
    keyed = "\n".join(
        f"      - {{name: {n}, logicalType: string, primaryKey: true, primaryKeyPosition: {i}}}"
        for i, n in enumerate(("t", "key", "sent_date"), 1)
    )
    plain = "\n".join(
        f"      - {{name: {n}, logicalType: string}}" for n in ("s", "date", "tickets", "record", "value")
    )
    write = "  - {property: write, value: {mode: merge, partition_by: [date]}}\n"
    registry = write_contracts({"schemas/sources/heat/named.yaml": contract("named", f"{keyed}\n{plain}", write)})
    header = ["t", "key", "sent_date", "s", "date", "tickets", "record", "value"]
    way(lake, registry, as_csv(tmp_path / "a", header, [["1", "a", "d", "x", "p", "y", "z", "v"], ["2", *"adxpyzv"]]))
    way(lake, registry, as_csv(tmp_path / "b", header, [["2", "a", "d", "new", "q", "y", "z", "v"]]))
    found = ask(lake, "SELECT t, s, date, tickets, _tickets FROM marked.named ORDER BY t").collect()
    assert [tuple(r) for r in found] == [("1", "x", "p", "y", None), ("2", "new", "q", "y", None)]
