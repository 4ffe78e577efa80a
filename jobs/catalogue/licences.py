"""The list of electronic licences (电子证照清单): by type and issuing authority, how many are held and how many are valid."""

from collections.abc import Iterable, Sequence
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from jobs.access.personal_numbers import starred
from jobs.catalogue.entry import Entry
from jobs.contracts.licences import Licences

TYPE, CODE, AUTHORITY, AUTHORITY_CODE = "证照类型", "类型代码", "颁发机构", "颁发机构代码"
HELD, VALID, IDENTIFIED, SAMPLE, FILE, SOURCE = "持有数", "有效数", "有标识数", "样例编号", "样例文件", "数据来源"
COLUMNS = (TYPE, CODE, AUTHORITY, AUTHORITY_CODE, HELD, VALID, IDENTIFIED, SAMPLE, FILE, SOURCE)
UNNAMED, THERE = "（未写明）", "有"
TYPE_OF_IDENTIFIER = r"^(?:\d+\.){5}(?P<type>[0-9A-Z]+)\."
"""The type in an identifier follows the five numbers of its root."""


def rows(entry: Entry, declared: Licences, table: pa.Table, day: date, key: str) -> list[dict[str, str]]:
    """Rows of a dataset's licences as of a day, by type and authority. `key`: the column that names a row of the list.

    A number that several rows have is one licence; its sample is starred out.
    """
    found: list[dict[str, str]] = []
    for row in _counted(declared, table, day).to_pylist():
        name, authority = row[declared.type] or UNNAMED, row[declared.authority] or UNNAMED
        cells = {
            TYPE: name,
            CODE: declared.type_codes.get(name, "") or _joined(row["type_code_distinct"]),
            AUTHORITY: authority,
            AUTHORITY_CODE: _joined(row["authority_code_distinct"]),
            HELD: str(row["number_count"]),
            VALID: str(row["is_valid_sum"]),
            IDENTIFIED: str(row["identifier_count"]) if declared.identifier else "",
            SAMPLE: starred(row["number_min"]),
            SOURCE: entry.title,
        }
        found.append({key: f"{entry.id}:{name}:{authority}"} | cells)
    return found


def _counted(declared: Licences, table: pa.Table, day: date) -> pa.Table:
    """One row for each type and authority, with counts of its numbered licences."""
    numbered = table.filter(pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(table[declared.number]), ""), False))
    nothing = pa.nulls(numbered.num_rows, pa.string())
    identifier = numbered[declared.identifier] if declared.identifier else nothing
    by = [declared.type, declared.authority]
    licences = pa.table(
        {
            **{name: numbered[name] for name in by},
            "number": numbered[declared.number],
            "identifier": identifier,
            "type_code": pc.struct_field(pc.extract_regex(identifier, pattern=TYPE_OF_IDENTIFIER), "type"),
            "authority_code": numbered[declared.authority_code] if declared.authority_code else nothing,
            "is_valid": _valid(declared, numbered, day),
        }
    )
    texts = ("identifier", "type_code", "authority_code")
    single = licences.group_by([*by, "number"]).aggregate([("is_valid", "max"), *((name, "max") for name in texts)])
    single = single.rename_columns([name.removesuffix("_max") for name in single.column_names])
    counts = [("number", "count"), ("number", "min"), ("is_valid", "sum"), ("identifier", "count")]
    sets = [("type_code", "distinct"), ("authority_code", "distinct")]
    return single.group_by(by).aggregate([*counts, *sets]).sort_by([(name, "ascending") for name in by])


def _joined(codes: Sequence[str | None]) -> str:
    return "、".join(sorted(filter(None, codes)))


def _valid(declared: Licences, table: pa.Table, day: date) -> pa.Array:
    """1 for each licence that is valid on the day, else 0."""
    holds = pa.array([True] * table.num_rows, pa.bool_())
    if declared.status and declared.valid_status:
        holds = pc.and_(holds, _is_in(table[declared.status], declared.valid_status))
    if declared.valid_from:
        holds = pc.and_(holds, pc.fill_null(pc.less_equal(table[declared.valid_from], pa.scalar(day)), False))
    if declared.valid_to:
        holds = pc.and_(holds, pc.fill_null(pc.greater_equal(table[declared.valid_to], pa.scalar(day)), True))
    return pc.cast(pc.fill_null(holds, False), pa.int64())


def _is_in(column: pa.ChunkedArray, values: Iterable[str]) -> pa.ChunkedArray:
    return pc.is_in(column, value_set=pa.array(list(values)))
