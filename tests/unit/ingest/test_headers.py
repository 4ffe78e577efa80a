"""Each column keeps its own values, however alike two names are; an ambiguous header is refused."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from jobs.contracts import Field, Source
from jobs.errors import DeliveryError
from jobs.ingest.headers import distinct_header
from jobs.ingest.reading import LocalFile, read
from tests.unit.ingest.test_delimited import Read, contract, kinds, values
from tests.unit.ingest.test_excel import read_file, workbook


def of(name: str, *headers: str) -> Field:
    return Field(name, name, "string", source=Source(header=headers))


@pytest.mark.parametrize(
    ("header", "names"),
    [
        (["备注", "备注"], ("备注", "备注_2")),
        (["备注", "备注", "备注_2"], ("备注", "备注_3", "备注_2")),
        (["备注_2", "备注", "备注", "备注"], ("备注_2", "备注", "备注_3", "备注_4")),
        (["a", "a", "Ａ_2"], ("a", "a_3", "Ａ_2")),
        (["Code", "code"], ("Code", "code")),
        (["a", None, "", "a"], ("a", None, "", "a_2")),
    ],
)
def test_a_suffix_is_one_that_no_other_column_has(header: list[str | None], names: tuple[str | None, ...]) -> None:
    distinct, renamed = distinct_header(header)
    assert distinct == names
    assert renamed == {new: old for new, old in zip(names, header, strict=True) if new != old}


ALIKE = [["Code", "code"], ["名称", "名称 "], ["ＰＨ", "pH"], ["备注", "备注", "备注_2"]]


@pytest.mark.parametrize("header", ALIKE)
def test_columns_alike_beyond_the_contract_stay_separate(read_bytes: Read, header: list[str]) -> None:
    text = ",".join(["a", *header]) + "\n0," + ",".join(map(str, range(1, len(header) + 1))) + "\n"
    (row,), reading = read_bytes(text.encode(), contract("a", extra_columns="evolve"))
    assert list(row.values())[: len(header) + 1] == [str(i) for i in range(len(header) + 1)]
    assert len(reading.columns) == len(header) + 5


def test_a_column_that_matches_a_field_exactly_matches_no_other(read_bytes: Read) -> None:
    both = contract(of("upper", "Code"), of("lower", "code"), missing_columns="ignore")
    rows, _ = read_bytes(b"code,Code\n1,2\n", both)
    assert values(rows, "upper", "lower") == [("2", "1")]
    rows, reading = read_bytes(b"Code,x\n1,2\n", both)
    assert values(rows, "upper", "lower") == [("1", None)] and "column_missing" in kinds(reading)


def test_a_single_column_alike_is_matched(read_bytes: Read) -> None:
    rows, _ = read_bytes("ＣＯＤＥ\n1\n".encode(), contract(of("code", "Code")))
    assert values(rows, "code") == [("1",)]


def test_two_columns_alike_without_an_exact_match_are_refused_with_both_names(read_bytes: Read) -> None:
    with pytest.raises(DeliveryError, match="都像是「CODE」：Code、code"):
        read_bytes(b"Code,code\n1,2\n", contract(of("code", "CODE")))


@pytest.mark.parametrize("ending", ["xlsx", "json", "jsonl", "parquet"])
def test_names_alike_keep_their_values_in_every_format(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"d.{ending}"
    if ending == "xlsx":
        workbook(file, [["Code", "code"], ["1", "2"]])
    elif ending == "parquet":
        pq.write_table(pa.table({"Code": ["1"], "code": ["2"]}), file)
    else:
        row = '{"Code": "1", "code": "2"}'
        file.write_text(f"[{row}]" if ending == "json" else row)
    format_ = {"xlsx": "excel"}.get(ending, ending)
    rows, _ = read_file(file, contract(of("upper", "Code"), of("lower", "code"), format=format_))
    assert values(rows, "upper", "lower") == [("1", "2")]
    (row_,), _ = read_file(
        file, contract(of("other", "x"), format=format_, extra_columns="evolve", missing_columns="ignore")
    )
    assert sorted(v for k, v in row_.items() if not k.startswith("_") and v) == ["1", "2"]


def test_a_repeated_key_of_an_object_keeps_both_values_and_is_reported(tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text('[{"a": 1, "a": 2, "b": {"c": 3}, "b.c": 4}]')
    (row,), reading = read_file(tmp_path / "d.json", contract("a", format="json", extra_columns="evolve"))
    assert {k: v for k, v in row.items() if not k.startswith("_")} == {"a": "1", "a_2": "2", "b_c": "3", "b_c_2": "4"}
    assert "字段名重复：a" in next(f.message for f in reading.findings if f.kind == "column_duplicate")


def test_columns_of_parquet_that_share_a_name_are_reported(tmp_path: Path) -> None:
    pq.write_table(pa.Table.from_arrays([pa.array(["1"]), pa.array(["2"])], names=["a", "a"]), tmp_path / "d.parquet")
    (row,), reading = read_file(tmp_path / "d.parquet", contract("a", format="parquet", extra_columns="evolve"))
    assert (row["a"], row["a_2"]) == ("1", "2") and "column_duplicate" in kinds(reading)


def test_a_reserved_header_is_reported_with_its_new_name(read_bytes: Read) -> None:
    (row,), reading = read_bytes(b"a,_row,row,__file__\n1,2,3,4\n", contract("a", extra_columns="evolve"))
    assert (row["row"], row["row_2"], row["file"], row["_row"]) == ("2", "3", "4", 2)
    message = next(f.message for f in reading.findings if f.kind == "column_extra")
    assert "_row 记为 row" in message and "row 记为 row_2" in message and "__file__ 记为 file" in message


def test_a_column_that_the_file_name_gives_too_is_reported(read_bytes: Read) -> None:
    named = contract("area", "n", file_name=r"^(?P<area>\w+)\.csv$")
    rows, reading = read_bytes("area,n\n东,1\n".encode(), named, name="west.csv")
    assert values(rows, "area", "n") == [("东", "1")] and "column_duplicate" in kinds(reading)


def test_names_of_two_files_of_a_delivery_stay_apart(tmp_path: Path) -> None:
    for number, row in enumerate(({"a": 1, "X": 2, "x": 3}, {"a": 4, "x": 5})):
        (tmp_path / f"{number}.jsonl").write_text(json.dumps(row))
    files = [LocalFile(f"{n}.jsonl", tmp_path / f"{n}.jsonl") for n in range(2)]
    reading = read(files, contract("a", format="jsonl", extra_columns="evolve"), tmp_path)
    rows = [row for batch in reading.batches for row in batch.to_pylist()]
    assert values(rows, "a", "x", "x_2") == [("1", "2", "3"), ("4", "5", None)]
