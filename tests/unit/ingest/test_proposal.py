"""A file of a new dataset gets a contract that loads and reads that file."""

import re
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest

from jobs.contracts import Contract, load
from jobs.contracts.layout import Unit
from jobs.errors import DeliveryError
from jobs.ingest.proposal import propose, snake_case
from jobs.ingest.reading import LocalFile, Reading, read
from tests.unit.ingest.test_excel import workbook

Propose = Callable[..., tuple[str, Contract, Reading, list[dict[str, object]]]]


@pytest.fixture
def proposed(tmp_path: Path) -> Propose:
    def go(path: Path, name: str = "") -> tuple[str, Contract, Reading, list[dict[str, object]]]:
        file = LocalFile(name or path.name, path)
        text = propose(file, "made_up", "somebody", tmp_path)
        target = tmp_path / "schemas" / "sources" / "somebody" / "made_up.yaml"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        contract = load(tmp_path / "schemas", tmp_path / "none").contract("made_up")
        reading = read([file], contract, tmp_path)
        return text, contract, reading, [row for batch in reading.batches for row in batch.to_pylist()]

    return go


def people(rows: int) -> str:
    lines = ["姓名,身份证号,手机,编号,金额（元）,受理时间,状态,备注"]
    for i in range(rows):
        lines.append(
            f"张{i},3715231990{i % 12 + 1:02d}{i % 28 + 1:02d}{i:04d},138{i:08d},{i:06d},"
            f'"{i % 9 + 1},{i % 999:03d}.50",2024年{i % 12 + 1}月{i % 28 + 1}日,{"办结" if i % 3 else "在办"},{"无" if i % 2 else ""}'
        )
    return "\n".join(lines) + "\n"


def test_chinese_csv_in_gbk(proposed: Propose, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes(people(100).encode("gbk"))
    _, contract, _, rows = proposed(tmp_path / "d.csv")
    by_title = {f.title: f for f in contract.fields}
    assert contract.layout.encoding == "gb18030" and len(rows) == 100
    assert {t for t, f in by_title.items() if f.is_personal()} == {"姓名", "身份证号", "手机"}
    assert by_title["编号"].type == "string" and by_title["编号"].key_position == 1
    assert by_title["金额（元）"].type == "number" and by_title["金额（元）"].source.thousands == ","
    assert by_title["金额（元）"].physical_type == "decimal(18,2)"
    assert by_title["受理时间"].source.formats == ("yyyy年M月d日",)
    assert set(by_title["状态"].enum) == {"办结", "在办"}
    assert not by_title["备注"].required and by_title["状态"].required
    assert by_title["姓名"].name == "field_1"


def test_no_value_of_a_personal_column_is_shown(proposed: Propose, tmp_path: Path) -> None:
    few = "\n".join(["联系人,电话,n", *("李某某,13800000000,1" for _ in range(50))])
    (tmp_path / "d.csv").write_text(few + "\n" + people(3))
    text, *_ = proposed(tmp_path / "d.csv")
    assert "李某某" not in text and "13800000000" not in text
    (tmp_path / "d.csv").write_text(people(60))
    text, *_ = proposed(tmp_path / "d.csv")
    assert not re.search(r"张\d|37152319|138\d{8}", text)


def test_units_censored_values_and_missing_words(proposed: Propose, tmp_path: Path) -> None:
    lines = [
        "站点;压力;浊度;余氯",
        *(f"S{i};{i % 7}.5MPa;{'<0.5' if i % 3 else '0.7'};{'--' if i % 5 == 0 else 0.3}" for i in range(60)),
    ]
    (tmp_path / "d.txt").write_text("\n".join(lines))
    _, contract, _, _ = proposed(tmp_path / "d.txt")
    pressure, turbidity, chlorine = (contract.fields[i] for i in (1, 2, 3))
    assert contract.layout.delimiter == ";" and contract.key() == ("field_1",)
    assert pressure.type == "number" and pressure.unit == "MPa" and dict(pressure.source.units) == {"MPa": Unit()}
    assert turbidity.type == "number" and turbidity.source.censored
    assert chlorine.source.missing == ("--",) and not chlorine.required


def test_weak_missing_words_only_among_numbers(proposed: Propose, tmp_path: Path) -> None:
    lines = ["a,b", *(f"{'-' if i % 4 == 0 else i},{'无' if i % 4 == 0 else '有效'}" for i in range(60))]
    (tmp_path / "d.csv").write_text("\n".join(lines))
    _, contract, _, _ = proposed(tmp_path / "d.csv")
    assert contract.field("a").source.missing == ("-",) and contract.field("a").type == "integer"
    assert contract.field("b").source.missing == () and set(contract.field("b").enum) == {"无", "有效"}


def test_excel_with_title_two_header_rows_and_footer(proposed: Propose, tmp_path: Path) -> None:
    rows: list[list[object]] = [["2024年供水月报"], ["区县", "供水", None, "日期"], [None, "水量", "水压", None]]
    rows += [[f"区{i}", 10.0 + i, 0.3, datetime(2024, 1, i + 1, 8)] for i in range(20)]
    rows += [["合计", 400.0, None, None], ["填表人：某某", None, None, None]]
    path = workbook(tmp_path / "d.xlsx", rows, ("A1:D1", "A2:A3", "B2:C2", "D2:D3"))
    _, contract, _, read_rows = proposed(path)
    assert (contract.layout.skip_rows, contract.layout.header_rows, contract.layout.footer_rows) == (1, 2, 0)
    assert [f.title for f in contract.fields] == ["区县", "供水/水量", "供水/水压", "日期"]
    assert contract.fields[3].type == "timestamp" and len(read_rows) == 20


def test_excel_with_sub_headings(proposed: Propose, tmp_path: Path) -> None:
    rows: list[list[object]] = [["序号", "校名", "层次"]]
    for city in ("聊城市（3所）", "济南市（3所）"):
        rows += [[city, None, None], *([len(rows) + i, f"{city[:2]}{i}", "本科"] for i in range(3))]
    _, contract, _, read_rows = proposed(workbook(tmp_path / "d.xlsx", rows))
    assert contract.field("section").required and len(read_rows) == 6
    assert {r["section"] for r in read_rows} == {"聊城市", "济南市"}


def test_file_without_header_reads_by_position(proposed: Propose, tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text("\n".join(f"{i},2024-01-{i % 28 + 1:02d},{i / 7:.3f}" for i in range(50)))
    _, contract, _, rows = proposed(tmp_path / "d.csv")
    assert contract.layout.header_rows == 0 and len(rows) == 50
    assert [f.source.position for f in contract.fields] == [1, 2, 3] and contract.fields[1].type == "date"


def test_plain_quotes_are_noticed(proposed: Propose, tmp_path: Path) -> None:
    lines = ["id\tsize", *(f'{i}\t"{i}" pipe "old' for i in range(50))]
    (tmp_path / "d.txt").write_text("\n".join(lines))
    _, contract, _, rows = proposed(tmp_path / "d.txt")
    assert contract.layout.quote == "" and contract.layout.delimiter == "\t" and rows[3]["size"] == '"3" pipe "old'


def test_json_records_are_found(proposed: Propose, tmp_path: Path) -> None:
    (tmp_path / "d.json").write_text(
        '{"code": 0, "data": {"rows": [' + ",".join(f'{{"id": {i}, "p": {{"v": {i}.5}}}}' for i in range(9)) + "]}}"
    )
    _, contract, _, rows = proposed(tmp_path / "d.json")
    assert contract.layout.records == "data.rows" and contract.key() == ("id",) and rows[2]["p_v"] == "2.5"
    (tmp_path / "d.jsonl").write_text("\n".join(f'{{"id": {i}}}' for i in range(9)))
    _, contract, _, rows = proposed(tmp_path / "d.jsonl")
    assert contract.layout.format == "jsonl" and len(rows) == 9


def test_day_first_and_serial_dates(proposed: Propose, tmp_path: Path) -> None:
    lines = ["登记日期,更新时间", *(f"{i % 28 + 1}/{i % 12 + 1}/2024,{45000 + i}.25" for i in range(60))]
    (tmp_path / "d.csv").write_text("\n".join(lines))
    _, contract, _, _ = proposed(tmp_path / "d.csv")
    assert contract.fields[0].source.formats == ("d/M/yyyy",) and contract.fields[0].type == "date"
    assert contract.fields[1].source.formats == ("excel_serial",) and contract.fields[1].type == "timestamp"


def test_key_of_two_columns(proposed: Propose, tmp_path: Path) -> None:
    lines = ["站点编号,采集时间,值", *(f"S{i % 5},2024-01-01 {i // 5:02d}:00:00,{i}.1" for i in range(100))]
    (tmp_path / "d.csv").write_text("\n".join(lines))
    _, contract, _, _ = proposed(tmp_path / "d.csv")
    assert contract.key() == ("field_1", "field_2") and contract.write.mode == "merge"


def test_unreadable_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes(b"%PDF-1.7")
    with pytest.raises(DeliveryError, match="PDF"):
        propose(LocalFile("d.csv", tmp_path / "d.csv"), "a", "b", tmp_path)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ("cityCode", "city_code"),
        ("heating load [kWh]", "heating_load_kwh"),
        ("pH", "ph"),
        ("# days", "days"),
        ("温度", ""),
    ],
)
def test_names_are_snake_case(header: str, name: str) -> None:
    assert snake_case(header) == name


def test_a_column_of_codes_written_full_width_or_padded_declares_it(proposed: Propose, tmp_path: Path) -> None:
    codes = [f"AB{n:04d}" for n in range(40)]
    codes[3], codes[7] = "ＡＢ０００３", " AB0007"
    rows = "\n".join(f"{code},（备注）第{n}条" for n, code in enumerate(codes))
    (tmp_path / "d.csv").write_text(f"许可证编号,说明\n{rows}\n", "utf-8")
    text, contract, _, _ = proposed(tmp_path / "d.csv")
    number, remark = contract.fields
    assert (number.source.full_width, number.source.trim) == (True, True)
    assert (remark.source.full_width, remark.source.trim) == (None, None)
    assert "1 个值含全角字符" in text
