"""File columns → bronze columns: by header, position or group name; never by luck."""

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import pyarrow as pa

from jobs.contracts import MALFORMED, Contract, Field
from jobs.ingest.grid import Chunk, Grid
from jobs.ingest.notes import FileNotes

FILE, ROW = "_file", "_row"
TECHNICAL = (FILE, ROW, MALFORMED)
NAMES_SHOWN = 30
MOST_COLUMNS = 2000
OTHER_DATASET_SHARE = 0.5
LIKE_DATA = re.compile(r"\d{6}|^\d+(?:\.\d+)?$")
NOT_A_NAME = re.compile(r"[^a-z0-9\u3400-\u4dbf\u4e00-\u9fff]+")


def header_key(header: str) -> str:
    """What is compared of a header: full or half width, case and white space do not matter."""
    return " ".join(unicodedata.normalize("NFKC", header).casefold().split())


@dataclass
class BronzePlan:
    """The bronze columns of one delivery; grows by the extra columns of each file, in order of appearance."""

    contract: Contract
    extras: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.fields = tuple(f for f in self.contract.fields if not f.is_computed())
        self.taken = {f.name for f in self.contract.fields}
        self.taken |= {f"{f.name}_qualifier" for f in self.contract.fields if f.source.censored}

    def columns(self) -> tuple[str, ...]:
        """All bronze columns: fields, extra columns, then the technical ones."""
        return (*(f.name for f in self.fields), *self.extras.values(), *TECHNICAL)

    def schema(self) -> pa.Schema:
        """Text throughout, but for the row number."""
        return pa.schema([(name, pa.int64() if name == ROW else pa.string()) for name in self.columns()])

    def score(self, header: Sequence[str | None]) -> int:
        """How many fields a header would fill."""
        return len(match(header, len(header), self.fields))

    def add(self, grid: Grid, notes: FileNotes) -> dict[str, int]:
        """Bronze column → position in this file; DeliveryError where the contract refuses the header."""
        if grid.own() > MOST_COLUMNS:
            raise notes.error(f"有 {grid.own():,} 列，超过 {MOST_COLUMNS:,} 列；请核对分隔符和表头，按约定的列报送")
        found = match(grid.header, grid.own(), self.fields)
        self._check_missing(found, grid, notes)
        _note_renamed(found, grid, self.fields, notes)
        used = set(found.values())
        extra = [i for i in range(grid.own()) if i not in used and grid.header[i] is not None]
        self._note_extra([grid.header[i] or f"第 {i + 1} 列" for i in extra], notes)
        if self.contract.layout.extra_columns == "evolve":
            for i in extra:
                found[self._extra_name(grid.header[i] or "", i + 1)] = i
        return found

    def batches(self, grid: Grid, found: Mapping[str, int], file: str) -> Iterator[pa.RecordBatch]:
        """The file's rows as bronze batches."""
        schema = self.schema()
        for chunk in grid.chunks():
            if len(chunk):
                arrays = [_array(chunk, name, found, file) for name in schema.names]
                yield pa.RecordBatch.from_arrays(arrays, schema=schema)

    def _check_missing(self, found: Mapping[str, int], grid: Grid, notes: FileNotes) -> None:
        missing = [f for f in self.fields if f.name not in found]
        if not missing:
            return
        must = [f for f in missing if f.required or f.key_position is not None]
        if self.contract.layout.missing_columns == "refuse" or must:
            wanted = missing if self.contract.layout.missing_columns == "refuse" else must
            other = len(found) < OTHER_DATASET_SHARE * len(self.fields)
            hint = f"；与「{self.contract.title}」的约定相差过半，可能是其他数据集的文件" if other else ""
            have = _shown_header(grid, other)
            raise notes.error(f"缺少列：{_listed([_called(f) for f in wanted])}{hint}。文件中的列：{have}")
        names = [_called(f) for f in missing]
        notes.say("column_missing", f"缺少列：{_listed(names)}；这些字段按空值处理", columns=[f.name for f in missing])

    def _note_extra(self, names: list[str], notes: FileNotes) -> None:
        if not names:
            return
        rule = self.contract.layout.extra_columns
        if rule == "refuse":
            raise notes.error(f"有约定之外的列：{_listed(names)}；请删除，或先变更数据契约")
        how = "已按文本保留" if rule == "evolve" else "未入湖"
        notes.say("column_extra", f"有约定之外的列：{_listed(names)}；{how}", columns=names)

    def _extra_name(self, header: str, position: int) -> str:
        key = header_key(header) or f"#{position}"
        if key not in self.extras:
            base = column_name(header, position)
            name, number = base, 1
            while name in self.taken:
                number += 1
                name = f"{base}_{number}"
            self.taken.add(name)
            self.extras[key] = name
        return self.extras[key]


def column_name(header: str, position: int) -> str:
    """A bronze name for an extra column: letters, digits, Chinese and `_`; `column_<n>` for a blank header."""
    return NOT_A_NAME.sub("_", header_key(header)).strip("_") or f"column_{position}"


def match(header: Sequence[str | None], own: int, fields: Sequence[Field]) -> dict[str, int]:
    """Field name → position in the header, for the fields that stand there."""
    places: dict[str, int] = {}
    for index, name in enumerate(header):
        if name:
            places.setdefault(header_key(name), index)
    found: dict[str, int] = {}
    for f in fields:
        if f.source.position is not None:
            if f.source.position <= own:
                found[f.name] = f.source.position - 1
            continue
        place = next((places[header_key(h)] for h in f.headers() if header_key(h) in places), None)
        if place is not None:
            found[f.name] = place
    return found


def _note_renamed(found: Mapping[str, int], grid: Grid, fields: Sequence[Field], notes: FileNotes) -> None:
    renamed = {}
    for f in fields:
        if f.name not in found or len(f.source.header) < 2 or f.source.position is not None:
            continue
        used = grid.header[found[f.name]] or ""
        if header_key(used) != header_key(f.source.header[0]):
            renamed[f.name] = used
    if renamed:
        words = "、".join(f"「{used}」" for used in renamed.values())
        notes.say("column_renamed", f"使用了旧版或别名表头：{words}", columns=renamed)


def _array(chunk: Chunk, name: str, found: Mapping[str, int], file: str) -> pa.Array:
    if name == FILE:
        return pa.repeat(pa.scalar(file, pa.string()), len(chunk))
    if name == ROW:
        return chunk.rows
    if name == MALFORMED:
        return chunk.malformed
    return chunk.cells[found[name]] if name in found else pa.nulls(len(chunk), pa.string())


def _shown_header(grid: Grid, other: bool) -> str:
    """The file's headers; not where they look like data, which may be personal."""
    names = [h for h in grid.header if h]
    if other and any(LIKE_DATA.search(name) for name in names):
        return "首行像是数据，可能没有表头或表头行数不对"
    return _listed(names) or "无表头"


def _called(f: Field) -> str:
    return f"第 {f.source.position} 列（{f.title}）" if f.source.position else f.headers()[0]


def _listed(names: Sequence[str]) -> str:
    more = f" 等 {len(names)} 个" if len(names) > NAMES_SHOWN else ""
    return "、".join(names[:NAMES_SHOWN]) + more
