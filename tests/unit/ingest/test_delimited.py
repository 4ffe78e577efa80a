"""Delimited text becomes bronze rows exactly: cells, row numbers, and what is wrong with a row."""

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.contracts import Contract, Field, Layout, Source
from jobs.errors import DeliveryError
from jobs.ingest.delimited import open_delimited
from jobs.ingest.notes import FileNotes, Notes
from jobs.ingest.reading import LocalFile, Reading, read

Read = Callable[..., tuple[list[dict[str, object]], Reading]]


def contract(*fields: Field | str, **layout: object) -> Contract:
    """A contract of text fields, or of the fields given."""
    columns = tuple(f if isinstance(f, Field) else Field(f, f, "string") for f in fields)
    return Contract(
        "d",
        "测试数据",
        "1.0.0",
        "source",
        "p",
        "测试局",
        "",
        columns,
        Path("d.yaml"),
        layout=Layout.model_validate(layout),
    )


@pytest.fixture
def read_bytes(tmp_path: Path) -> Read:
    """Bytes and a contract → rows as dictionaries, and the reading."""

    def go(content: bytes, of: Contract, name: str = "d.csv") -> tuple[list[dict[str, object]], Reading]:
        path = tmp_path / "received"
        path.write_bytes(content)
        reading = read([LocalFile(name, path)], of, tmp_path)
        rows = [row for batch in reading.batches for row in batch.to_pylist()]
        assert reading.counted_rows == len(rows)
        return rows, reading

    return go


def kinds(reading: Reading) -> set[str]:
    return {finding.kind for finding in reading.findings}


def values(rows: Sequence[dict[str, object]], *names: str) -> list[tuple[object, ...]]:
    return [tuple(row[name] for name in names) for row in rows]


def test_cells_are_text_and_empty_is_null(read_bytes: Read) -> None:
    rows, reading = read_bytes(b'a,b\n001,""\n, x \n', contract("a", "b"))
    assert values(rows, "a", "b", "_row") == [("001", None, 2), (None, " x ", 3)]
    assert reading.columns == ("a", "b", "_file", "_row", "_malformed", "_line")
    assert rows[0]["_file"] == "d.csv" and rows[0]["_malformed"] is None


def test_row_numbers_count_blank_and_skipped_rows_and_quoted_breaks_once(read_bytes: Read) -> None:
    text = '标题,,\n\na,b,c\n1,"x\ny",3\n\n,,\n4,5,6\n'
    rows, reading = read_bytes(text.encode(), contract("a", "b", "c", skip_rows=2))
    assert values(rows, "a", "b", "_row") == [("1", "x\ny", 4), ("4", "5", 7)]
    assert "rows_blank" in kinds(reading)


def test_ragged_row_is_loaded_and_marked(read_bytes: Read) -> None:
    rows, reading = read_bytes(b"a,b,c\n1,2,3\n1,2\n1,2,3,4\n5,6,7\n", contract("a", "b", "c"))
    assert values(rows, "a", "c", "_malformed") == [
        ("1", "3", None),
        ("1", None, "应有 3 列，实有 2 列"),
        ("1", "3", "应有 3 列，实有 4 列"),
        ("5", "7", None),
    ]
    finding = next(f for f in reading.findings if f.kind == "rows_malformed")
    assert finding.detail["count"] == 2 and finding.detail["first_rows"] == ["d.csv 第 3 行", "d.csv 第 4 行"]


def test_trailing_delimiter_is_accepted(read_bytes: Read) -> None:
    rows, _ = read_bytes(b"a,b\n1,2,\n3,4,\n", contract("a", "b"))
    assert values(rows, "a", "b", "_malformed") == [("1", "2", None), ("3", "4", None)]


def test_unterminated_quote_costs_one_row(read_bytes: Read) -> None:
    body = "".join(f"{i},x{i},y\n" for i in range(3000))
    text = f'a,b,c\n0,"open,y\n{body}'
    rows, reading = read_bytes(text.encode(), contract("a", "b", "c"))
    assert len(rows) == 3001
    assert rows[0]["_malformed"] == "引号未配对" and rows[0]["b"] == '"open'
    assert values(rows[-1:], "a", "b", "_row", "_malformed") == [("2999", "x2999", 3002, None)]
    assert "quotes_unpaired" in kinds(reading)


def test_two_stray_quotes_do_not_swallow_the_rows_between(read_bytes: Read) -> None:
    body = "".join(f"{i},x,y\n" for i in range(20))
    rows, _ = read_bytes(f'a,b,c\n0,"x,y\n{body}9,x",y\n10,x,y\n'.encode(), contract("a", "b", "c"))
    assert len(rows) == 23
    assert [row["_row"] for row in rows if row["_malformed"]] == [2]


def test_quote_off_keeps_quotes(read_bytes: Read) -> None:
    rows, _ = read_bytes(b'a\tb\n"x\ty"\n5" pipe\t"\n', contract("a", "b", quote="", delimiter="\t"))
    assert values(rows, "a", "b") == [('"x', 'y"'), ('5" pipe', '"')]


def test_line_breaks_off_ends_a_row_at_every_line(read_bytes: Read) -> None:
    rows, _ = read_bytes(b'a,b\n1,"x\n2,y\n', contract("a", "b", multiline=False))
    assert values(rows, "a", "_row", "_malformed") == [("1", 2, "引号未配对"), ("2", 3, None)]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_line_end(read_bytes: Read, end: str) -> None:
    rows, _ = read_bytes(end.join(["a,b", '1,"x,y"', "", "2,z", ""]).encode(), contract("a", "b"))
    assert values(rows, "a", "b", "_row") == [("1", "x,y", 2), ("2", "z", 4)]


def test_footer_and_header_levels(read_bytes: Read) -> None:
    text = "地区,供水,,\n,水量,水压,备注\n东昌府,1,2,\n茌平,3,4,\n合计,4,,\n"
    fields = [
        Field(n, n, "string", source=Source(header=(h,)))
        for n, h in [("area", "地区"), ("q", "供水/水量"), ("p", "供水/水压")]
    ]
    rows, _ = read_bytes(text.encode(), contract(*fields, header_rows=2, footer_rows=1))
    assert values(rows, "area", "q", "p", "_row") == [("东昌府", "1", "2", 3), ("茌平", "3", "4", 4)]


def test_no_header_reads_by_position(read_bytes: Read) -> None:
    fields = [
        Field("b", "b", "string", source=Source(position=2)),
        Field("a", "a", "string", source=Source(position=1)),
    ]
    rows, _ = read_bytes(b"1,2\n3,4\n", contract(*fields, header_rows=0))
    assert values(rows, "a", "b", "_row") == [("1", "2", 1), ("3", "4", 2)]


def test_sections_become_columns(read_bytes: Read) -> None:
    city = Field("city", "市", "string")
    text = "name,n\n聊城市（2）,\na,1\nb,2\n济南市（1）,\nc,3\n"
    rows, reading = read_bytes(
        text.encode(), contract("name", "n", city, section={"pattern": r"^(?P<city>.+)（\d+）$"})
    )
    assert values(rows, "city", "name", "_row") == [("聊城市", "a", 3), ("聊城市", "b", 4), ("济南市", "c", 6)]
    assert "section_rows" in kinds(reading)


def test_file_name_groups_become_columns(read_bytes: Read) -> None:
    rows, _ = read_bytes(b"a\n1\n", contract("a", "month", file_name=r"_(?P<month>\d{6})"), name="水费_202401.csv")
    assert values(rows, "a", "month", "_file") == [("1", "202401", "水费_202401.csv")]


def test_headers_match_regardless_of_width_case_and_white_space(read_bytes: Read) -> None:
    field = Field("p", "p", "string", source=Source(header=("压力（MPa）", "旧压力")))
    rows, reading = read_bytes(" 压力(mpa) \n1\n".encode(), contract(field))
    assert values(rows, "p") == [("1",)] and "column_renamed" not in kinds(reading)
    _, reading = read_bytes("旧压力\n1\n".encode(), contract(field))
    assert "column_renamed" in kinds(reading)


def test_missing_columns_refuse_or_note(read_bytes: Read) -> None:
    with pytest.raises(DeliveryError, match=r"缺少列：b、c.*可能是其他数据集的文件.*文件中的列：a、x"):
        read_bytes(b"a,x\n1,2\n", contract("a", "b", "c"))
    rows, reading = read_bytes(b"a,x\n1,2\n", contract("a", "b", missing_columns="ignore"))
    assert values(rows, "a", "b") == [("1", None)] and "column_missing" in kinds(reading)
    key = Field("b", "b", "string", required=True)
    with pytest.raises(DeliveryError, match="缺少列：b"):
        read_bytes(b"a,x\n1,2\n", contract("a", key, missing_columns="ignore"))


def test_first_row_of_data_is_not_shown_as_a_header(read_bytes: Read) -> None:
    with pytest.raises(DeliveryError, match="首行像是数据") as error:
        read_bytes("张三,13800000000\n李四,13900000000\n".encode(), contract("姓名", "手机"))
    assert "张三" not in str(error.value) and "138" not in str(error.value)


def test_extra_columns_evolve_ignore_or_refuse(read_bytes: Read) -> None:
    content = "a,新 列(℃),,A,_file\n1,2,3,4,5\n".encode()
    rows, reading = read_bytes(content, contract("a", extra_columns="evolve"))
    assert reading.columns == ("a", "新_列_c", "column_3", "a_2", "file", "_file", "_row", "_malformed", "_line")
    assert values(rows, "a", "新_列_c", "column_3", "a_2", "file", "_file") == [("1", "2", "3", "4", "5", "d.csv")]
    rows, reading = read_bytes(content, contract("a"))
    assert reading.columns == ("a", "_file", "_row", "_malformed", "_line") and "column_extra" in kinds(reading)
    with pytest.raises(DeliveryError, match="约定之外的列"):
        read_bytes(content, contract("a", extra_columns="refuse"))


def test_duplicate_headers_get_a_suffix(read_bytes: Read) -> None:
    rows, reading = read_bytes(b"a,a\n1,2\n", contract("a", extra_columns="evolve"))
    assert values(rows, "a", "a_2") == [("1", "2")] and "column_duplicate" in kinds(reading)


def test_other_delimiter_is_noticed(read_bytes: Read) -> None:
    rows, reading = read_bytes(b"a;b\n1;2\n", contract("a", "b"))
    assert values(rows, "a", "b") == [("1", "2")] and "delimiter_differs" in kinds(reading)


def test_nul_bytes_are_removed_and_counted(read_bytes: Read) -> None:
    rows, reading = read_bytes(b"a,b\n" + b"1,2\n" * 100 + b"1\0,2\n", contract("a", "b"))
    assert rows[-1]["a"] == "1" and "nul_bytes" in kinds(reading)


def test_header_only_gives_no_rows_and_empty_is_refused(read_bytes: Read) -> None:
    assert read_bytes(b"a,b\n", contract("a", "b"))[0] == []
    for content in (b"", b"\xef\xbb\xbf", b" \r\n\r\n"):
        with pytest.raises(DeliveryError, match="为空"):
            read_bytes(content, contract("a"))


@pytest.mark.parametrize("content", [b"%PDF-1.4 x", b"Rar!\x1a\x07\x00", bytes(range(256)) * 20, b"\x89PNG\r\n\x1a\n"])
def test_a_binary_file_is_refused(read_bytes: Read, content: bytes) -> None:
    with pytest.raises(DeliveryError, match=r"d\.csv"):
        read_bytes(content, contract("a"))


def test_several_files_share_columns_in_any_order(tmp_path: Path) -> None:
    (tmp_path / "1").write_bytes(b"a,b\n1,2\n")
    (tmp_path / "2").write_bytes(b"x,b,a\n9,4,3\n")
    files = [LocalFile("1.csv", tmp_path / "1"), LocalFile("2.csv", tmp_path / "2")]
    reading = read(files, contract("a", "b", extra_columns="evolve"), tmp_path)
    rows = [row for batch in reading.batches for row in batch.to_pylist()]
    assert values(rows, "a", "b", "x", "_file", "_row") == [("1", "2", None, "1.csv", 2), ("3", "4", "9", "2.csv", 2)]


def test_computed_fields_are_not_read(read_bytes: Read) -> None:
    at = Field("at", "at", "timestamp", source=Source(compose="{a} {b}"))
    _, reading = read_bytes(b"a,b\n1,2\n", contract("a", "b", at))
    assert reading.columns[:2] == ("a", "b") and "at" not in reading.columns


cells = st.text(alphabet=st.sampled_from('ab1 ,;"\n\r汉é'), max_size=6)
tables = st.integers(1, 4).flatmap(
    lambda n: st.lists(st.lists(cells, min_size=n, max_size=n), max_size=12).map(lambda t: (n, t))
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(table=tables, end=st.sampled_from(["\n", "\r\n"]), gaps=st.sets(st.integers(0, 12)), block=st.integers(1, 40))
def test_any_written_table_reads_back_exactly(
    tmp_path: Path, table: tuple[int, list[list[str]]], end: str, gaps: set[int], block: int
) -> None:
    width, rows = table
    buffer = io.StringIO(newline="")
    bare_cr = any("\r" in cell for row in rows for cell in row)  # Python 3.11 forgets to quote it
    writer = csv.writer(
        buffer, lineterminator=end, quoting=csv.QUOTE_ALL if block % 2 or bare_cr else csv.QUOTE_MINIMAL
    )
    writer.writerow([f"h{i}" for i in range(width)])
    expected, number = [], 1
    for index, row in enumerate(rows):
        if index in gaps:
            buffer.write(end)
            number += 1
        writer.writerow(row)
        number += 1
        if any(row):
            expected.append((number, *(cell or None for cell in row)))
    assert _grid_rows(tmp_path, buffer.getvalue(), block) == [(*row, None) for row in expected]


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.text(alphabet=st.sampled_from('a,"\n\r汉'), max_size=60), block=st.integers(1, 30))
def test_any_text_reads_the_same_in_any_block_size(tmp_path: Path, body: str, block: int) -> None:
    text = "h0,h1,h2\n" + body
    whole = _grid_rows(tmp_path, text, 1 << 20)
    assert _grid_rows(tmp_path, text, block) == whole
    if '"' not in body:
        plain = [r for r in csv.reader(io.StringIO(text, newline=""))]
        nonblank = [
            (i, r) for i, r in enumerate(plain, 1) if i > 1 and any(r) and not (len(r) == 1 and not r[0].strip())
        ]
        assert [row[0] for row in whole] == [i for i, _ in nonblank]
        assert [row[1] for row in whole] == [r[0] or None for _, r in nonblank]


def _grid_rows(folder: Path, text: str, block: int) -> list[tuple[object, ...]]:
    path = folder / "t.csv"
    path.write_bytes(text.encode())
    layout = replace_layout(encoding="utf-8")
    grid = open_delimited(path, layout, FileNotes("t.csv", Notes()), len, block)
    rows_read: list[tuple[object, ...]] = []
    for chunk in grid.chunks():
        columns = [chunk.rows.to_pylist(), *(c.to_pylist() for c in chunk.cells), chunk.malformed.to_pylist()]
        rows_read.extend(zip(*columns, strict=True))
    return rows_read


def replace_layout(**layout: object) -> Layout:
    return replace(contract("h0"), layout=Layout.model_validate(layout)).layout
