"""The list of electronic licences (电子证照清单): by type and issuing authority, how many are held and how many are valid."""

from collections.abc import Iterable, Mapping
from datetime import date

import pyarrow as pa
import pyarrow.compute as pc

from jobs.access.personal_numbers import starred
from jobs.catalogue.entry import Entry
from jobs.contracts.licences import Licences

TYPE, CODE, AUTHORITY, HELD, VALID, SAMPLE, SOURCE = (
    "证照类型",
    "类型代码",
    "颁发机构",
    "持有数",
    "有效数",
    "样例编号",
    "数据来源",
)
COLUMNS = (TYPE, CODE, AUTHORITY, HELD, VALID, SAMPLE, SOURCE)


def rows(entry: Entry, declared: Licences, table: pa.Table, day: date, key: str) -> list[Mapping[str, str]]:
    """Rows of a dataset's licences as of a day, by type and authority. `key`: the column that names a row of the list.

    A number that several rows have is one licence; its sample is starred out.
    """
    numbered = table.filter(pc.fill_null(pc.not_equal(pc.utf8_trim_whitespace(table[declared.number]), ""), False))
    marked = numbered.append_column("is_valid", _valid(declared, numbered, day))
    by = [declared.type, declared.authority]
    singled = marked.group_by([*by, declared.number]).aggregate([("is_valid", "max")])
    counted = singled.group_by(by).aggregate(
        [(declared.number, "count"), (declared.number, "min"), ("is_valid_max", "sum")]
    )
    found: list[Mapping[str, str]] = []
    for row in counted.sort_by([(name, "ascending") for name in by]).to_pylist():
        name, authority = row[declared.type] or "（未写明）", row[declared.authority] or "（未写明）"
        cells = (
            *(name, declared.type_codes.get(name, ""), authority, str(row[f"{declared.number}_count"])),
            *(str(row["is_valid_max_sum"]), starred(row[f"{declared.number}_min"]), entry.title),
        )
        found.append({key: f"{entry.id}:{name}:{authority}"} | dict(zip(COLUMNS, cells, strict=True)))
    return found


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
