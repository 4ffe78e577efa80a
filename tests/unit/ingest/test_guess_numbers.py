"""Codes stay text, and separators of numbers are proposed by their positions."""

from pathlib import Path

import pytest

from jobs.contracts import Field, Source
from jobs.ingest.guess_numbers import COMMA, POINT, Marks, decimal_mark, numbers
from jobs.ingest.guess_values import SAYS_CODE
from tests.unit.ingest.test_delimited import contract, values
from tests.unit.ingest.test_excel import read_file, workbook
from tests.unit.ingest.test_proposal import Propose

PROBES = Path(__file__).parents[2] / "probes"


def test_codes_with_an_e_stay_text(proposed: Propose) -> None:
    _, of, _, _ = proposed(PROBES / "39-e-codes" / "物料.csv")
    assert [f.type for f in of.fields] == ["string", "string", "integer"]


@pytest.mark.parametrize(
    "header",
    [
        "编码",
        "物料编码",
        "代码",
        "编号",
        "no",
        "NO.",
        "meter_no",
        "meterNo",
        "id",
        "ID",
        "stationId",
        "zip_code",
        "户号",
    ],
)
@pytest.mark.parametrize("value", ["101E010", "12E5", "007", "42", "3.5", "1e3"])
def test_a_column_whose_header_names_a_code_never_becomes_a_number(
    proposed: Propose,
    tmp_path: Path,
    header: str,
    value: str,
) -> None:
    (tmp_path / "d.csv").write_text(f"{header},v\n" + "".join(f"{value},{i}\n" for i in range(6)))
    _, of, _, _ = proposed(tmp_path / "d.csv")
    assert of.fields[0].type == "string" and of.fields[1].type == "integer"


@pytest.mark.parametrize("header", ["数量", "序号", "行号", "amount", "video", "piano"])
def test_other_headers_name_no_code(header: str) -> None:
    assert not SAYS_CODE.search(header)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("888E010", "string"),
        ("12E5", "string"),
        ("5E007", "string"),
        ("1.2E+05", "number"),
        ("1e3", "number"),
        ("2.5e-3", "number"),
    ],
)
def test_digits_with_an_e_are_codes_unless_a_program_wrote_them(
    proposed: Propose,
    tmp_path: Path,
    value: str,
    kind: str,
) -> None:
    (tmp_path / "d.csv").write_text("规格,v\n" + "".join(f"{value},{i}\n" for i in range(6)))
    _, of, _, _ = proposed(tmp_path / "d.csv")
    assert of.fields[0].type == kind


def test_decimal_commas_are_proposed_and_read(proposed: Propose) -> None:
    _, of, _, rows = proposed(PROBES / "11-decimal-comma" / "estacion.csv")
    flow, money = of.fields[2], of.fields[3]
    assert (flow.type, flow.source.decimal, flow.source.thousands) == ("number", ",", "")
    assert (money.type, money.source.decimal, money.source.thousands) == ("number", ",", ".")
    assert values(rows, flow.name)[0] == ("12,5",)


@pytest.mark.parametrize(
    ("written", "marks", "kind"),
    [
        (["12,5", "100", "0,5"], ("", ","), "number"),
        (["1,234", "12,345.5"], (",", "."), "number"),
        (["1,234", "12,345"], (",", "."), "integer"),
        (["1 234,5", "12 345 678,25", "5,0"], (" ", ","), "number"),
        (["1\u00a0234", "12\u00a0345"], (" ", "."), "integer"),
        (["1'234.5", "12’345"], ("'", "."), "number"),
        (["1.234.567", "1.234,5"], (".", ","), "number"),
        (["１，２３４", "５"], (",", "."), "integer"),
        (["12,5℃", "7,25℃"], ("", ","), "number"),
        (["<0,5", "1,25"], ("", ","), "number"),
    ],
)
def test_the_notation_that_fits_all_is_proposed(
    proposed: Propose,
    tmp_path: Path,
    written: list[str],
    marks: tuple[str, str],
    kind: str,
) -> None:
    (tmp_path / "d.csv").write_text("名称;读数\n" + "".join(f"甲{i};{v}\n" for i, v in enumerate(written * 4)))
    _, of, _, _ = proposed(tmp_path / "d.csv")
    proposed_field = of.fields[1]
    assert (proposed_field.type, proposed_field.source.thousands, proposed_field.source.decimal or ".") == (
        kind,
        *marks,
    )


@pytest.mark.parametrize(
    "written", [["1,2345", "5,6"], ["12,34,567"], ["1.2.3"], ["0x10"], ["1_000"], ["12.5.2026x"], ["١٢"]]
)
def test_values_of_no_notation_stay_text(written: list[str]) -> None:
    assert not numbers(dict.fromkeys([*written, "abc"], 1)).is_sure()


def test_a_column_that_may_be_read_in_two_ways_follows_the_files_others() -> None:
    doubtful, clear = {"1.250": 1, "3.500": 1}, {"12,5": 1, "7,25": 1}
    assert decimal_mark([doubtful]) == "." and decimal_mark([doubtful, clear]) == ","
    assert numbers(doubtful).marks == Marks("", ".") and numbers(doubtful, ",").marks == Marks(".", ",")


def test_digits_with_misplaced_separators_are_no_number() -> None:
    assert not any(marks.pattern().match("0,125") for marks in POINT) and Marks("", ",").pattern().match("0,125")
    assert Marks(".", ",").plain("12.345.678,90") == "12345678.90"
    assert [m for m in (*POINT, *COMMA) if m.pattern().match("1.234.5")] == []


def test_numbers_of_a_workbook_are_written_with_the_decimal_mark_of_their_field(tmp_path: Path) -> None:
    path = workbook(tmp_path / "d.xlsx", [["v", "t"], [1.234, 1.234], ["1.234", "1.234"]])
    comma = Field("v", "v", "number", source=Source(thousands=".", decimal=","))
    rows, _ = read_file(path, contract(comma, "t", format="excel"))
    assert values(rows, "v", "t") == [("1,234", "1.234"), ("1.234", "1.234")]


@pytest.mark.parametrize("ending", ["json", "jsonl"])
def test_numbers_of_json_are_written_with_the_decimal_mark_of_their_field(tmp_path: Path, ending: str) -> None:
    lines = ['{"v": 1.234, "t": 1.234}', '{"v": "1.234", "t": "x"}']
    (tmp_path / "d").write_text(f"[{','.join(lines)}]" if ending == "json" else "\n".join(lines))
    comma = Field("v", "v", "number", source=Source(thousands=".", decimal=","))
    rows, _ = read_file(tmp_path / "d", contract(comma, "t", format=ending))
    assert values(rows, "v", "t") == [("1,234", "1.234"), ("1.234", "x")]


@pytest.mark.parametrize(
    "marks", [{"thousands": "."}, {"thousands": ",", "decimal": ","}, {"decimal": "5"}, {"thousands": "-"}]
)
def test_contradicting_separators_are_a_mistake(marks: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="cannot"):
        Source.model_validate(marks)


def test_a_formula_without_a_value_is_noted_in_the_proposal(proposed: Propose) -> None:
    text, *_ = proposed(PROBES / "02-formula-no-cache" / "抄表.xlsx")
    assert "有 6 个单元格只有公式、没有结果" in text


def test_names_that_yaml_would_misread_are_quoted(proposed: Propose, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("null,true,no,x\n" + "a,b,c,1\n" * 3)
    _, of, _, _ = proposed(tmp_path / "d.csv")
    assert [f.name for f in of.fields] == ["null", "true", "no", "x"]
