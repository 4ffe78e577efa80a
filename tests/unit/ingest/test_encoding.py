"""Encodings: detected with a confidence, reported where they differ, and never a lost row."""

from pathlib import Path

import pytest

from jobs.contracts import Contract
from jobs.errors import ContractError
from jobs.ingest.reading import Reading
from tests.unit.ingest.test_delimited import contract, kinds, values
from tests.unit.ingest.test_excel import read_file

CHINESE = "名称,地址\n聊城市供热公司,东昌府区振兴西路\n茌平区换热站,信发街道办事处\n"
FRENCH = "name,city\nCafé Zoë,München\nCrêperie,Malmö – Süd\n"


def of(first: str, second: str, **layout: object) -> Contract:
    return contract(first, second, **layout)


def encoding(reading: Reading) -> tuple[str, float]:
    finding = next(f for f in reading.findings if f.kind == "encoding_detected")
    return finding.detail["encoding"], finding.detail["confidence"]


@pytest.mark.parametrize(
    ("codec", "expected"),
    [
        ("utf-8", "utf-8"),
        ("utf-8-sig", "utf-8"),
        ("gbk", "gb18030"),
        ("gb18030", "gb18030"),
        ("utf-16", "utf-16-le"),
        ("utf-16-be", "utf-16-be"),
    ],
)
def test_chinese_is_detected_in_any_usual_encoding(tmp_path: Path, codec: str, expected: str) -> None:
    text = CHINESE if codec != "utf-16-be" else "name,at\n" + "a,b\n" * 50 + "聊城,x\n"
    (tmp_path / "d.csv").write_bytes(text.encode(codec))
    names = ("名称", "地址") if codec != "utf-16-be" else ("name", "at")
    rows, reading = read_file(tmp_path / "d.csv", of(*names))
    assert encoding(reading)[0] == expected and encoding(reading)[1] > 0.8
    assert any("聊城" in str(v) for v in rows[-1].values()) or rows[0][names[0]] == "聊城市供热公司"


def test_big5_and_latin_are_distinguished_from_gbk(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes("名稱,地址\n臺北市政府環境保護局,信義區市府路一號\n".encode("big5"))
    rows, reading = read_file(tmp_path / "d.csv", of("名稱", "地址"))
    assert encoding(reading)[0] == "big5" and rows[0]["名稱"] == "臺北市政府環境保護局"
    (tmp_path / "d.csv").write_bytes(FRENCH.encode("cp1252"))
    rows, reading = read_file(tmp_path / "d.csv", of("name", "city"))
    assert encoding(reading)[0] == "cp1252" and rows[1]["city"] == "Malmö – Süd"


HEADER = ("站点", "说明文字", "数量", "负责科室", "街道", "批注")
FEW = '0Z,Z,"1,2",,Z.,甲戊;Y\na€X9 €戊b,,-1372,0é.王€é9€,,0\n'
"""Of the same bytes, Big5 makes more common characters."""


@pytest.mark.parametrize("declared", ["auto", "utf-8"])
@pytest.mark.parametrize("title", ["", "王€é9€\n"])
def test_the_headers_of_the_contract_decide_where_few_bytes_mislead(tmp_path: Path, declared: str, title: str) -> None:
    (tmp_path / "d.csv").write_bytes(f"{title}{','.join(HEADER)}\n{FEW}".encode("gb18030"))
    rows, reading = read_file(tmp_path / "d.csv", contract(*HEADER, encoding=declared))
    assert values(rows, "站点", "批注") == [("0Z", "甲戊;Y"), ("a€X9 €戊b", "0")]
    assert encoding(reading) == ("gb18030", 1.0)
    assert ("title_rows" in kinds(reading)) == bool(title)


def test_short_gbk_that_happens_to_be_utf8(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes("a,b\n联通,1\n".encode("gbk"))
    rows, _ = read_file(tmp_path / "d.csv", of("a", "b"))
    assert values(rows, "a") == [("联通",)]


def test_declared_encoding_that_does_not_fit(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes(CHINESE.encode("gbk"))
    rows, reading = read_file(tmp_path / "d.csv", of("名称", "地址", encoding="utf-8"))
    assert rows[0]["名称"] == "聊城市供热公司" and "encoding_differs" in kinds(reading)
    (tmp_path / "d.csv").write_bytes(CHINESE.encode())
    rows, reading = read_file(tmp_path / "d.csv", of("名称", "地址", encoding="gbk"))
    assert rows[0]["名称"] == "聊城市供热公司" and "encoding_differs" in kinds(reading)


@pytest.mark.parametrize("codec", ["utf-8", "gb18030"])
def test_undecodable_bytes_keep_their_row(tmp_path: Path, codec: str) -> None:
    lines = CHINESE.encode(codec)
    body = "聊城市供热公司,东昌府区振兴西路\n".encode(codec) * 100 + b"x\xff\xffy,1\n" + "茌平,2\n".encode(codec)
    (tmp_path / "d.csv").write_bytes(lines + body)
    rows, reading = read_file(tmp_path / "d.csv", of("名称", "地址"))
    assert len(rows) == 104 and rows[102]["地址"] == "1" and "\ufffd" in str(rows[102]["名称"])
    finding = next(f for f in reading.findings if f.kind == "characters_damaged")
    assert finding.detail["first_rows"] == ["d.csv 第 104 行"]


def test_first_chinese_far_into_the_file(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_bytes(b"a,b\n" + b"1,2\n" * 1_200_000 + "聊城,茌平\n".encode("gbk"))
    rows, reading = read_file(tmp_path / "d.csv", of("a", "b"))
    assert rows[-1]["a"] == "聊城" and encoding(reading)[0] == "gb18030"


def test_mojibake_is_noticed(tmp_path: Path) -> None:
    broken = CHINESE.splitlines()[1].encode().decode("gb18030", "replace").replace("\ufffd", "")
    (tmp_path / "d.csv").write_text(f"a,b\n{broken},1\n")
    assert "mojibake" in kinds(read_file(tmp_path / "d.csv", of("a", "b"))[1])
    (tmp_path / "d.csv").write_text(CHINESE)
    assert "mojibake" not in kinds(read_file(tmp_path / "d.csv", of("名称", "地址"))[1])


@pytest.mark.parametrize("declared", ["utf-16", "utf-16-le", "utf-16-be", "utf-32"])
@pytest.mark.parametrize("sent", ["utf-8", "gb18030", "ascii", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_file_that_is_not_in_the_declared_wide_encoding_is_read_all_the_same(
    tmp_path: Path, declared: str, sent: str
) -> None:
    text = "name,at\na,b\n" if sent == "ascii" else CHINESE
    names = ("name", "at") if sent == "ascii" else ("名称", "地址")
    (tmp_path / "d.csv").write_bytes(text.encode(sent))
    rows, reading = read_file(tmp_path / "d.csv", of(*names, encoding=declared))
    assert len(rows) == text.count("\n") - 1 and all(row["_malformed"] is None for row in rows)
    assert {row[names[1]] for row in rows} == {line.split(",")[1] for line in text.splitlines()[1:]}
    exact = {"utf-16": "utf-16-le"}.get(sent, sent)
    assert ("encoding_differs" in kinds(reading)) == (declared != exact and not exact.startswith(f"{declared}-"))


@pytest.mark.parametrize("name", ["base64", "rot13", "undefined", "no-such-codec"])
def test_a_codec_of_no_text_is_refused_with_the_remedy(tmp_path: Path, name: str) -> None:
    (tmp_path / "d.csv").write_text(CHINESE, "utf-8")
    with pytest.raises(ContractError, match="not a codec"):
        read_file(tmp_path / "d.csv", of("名称", "地址", encoding=name))
