"""A bulletin's pages: their text, their line breaks, and that they show no personal number."""

import json
import re
from pathlib import Path
from typing import Any

import docx
import pytest
from pypdfium2 import PdfDocument

from jobs.errors import SetupError
from jobs.reporting.bulletin.blocks import blocks, text
from jobs.reporting.bulletin.checks import file_text
from jobs.reporting.bulletin.lines import lines
from jobs.reporting.bulletin.parts import Grid, Line
from jobs.reporting.bulletin.styles import NOTO, fonts
from jobs.settings import Settings
from tests.unit.lake.local_lake import CANARIES, LocalLake
from tests.unit.reporting.bulletin.january import january, tell, written

pytestmark = pytest.mark.skipif(
    not NOTO.is_dir(), reason="no Chinese font is installed (apt-get install fonts-noto-cjk)"
)


@pytest.fixture(scope="module")
def bulletin(tmp_path_factory: pytest.TempPathFactory, made_sqlite: Path) -> tuple[LocalLake, dict[str, Any], Path]:
    """The lake, the document, and the folder with the files."""
    lake, cat = january(tmp_path_factory.mktemp("january"), made_sqlite)
    tell(lake)
    return lake, written(lake, cat), lake.settings.home / "reports" / "bulletins"


def bare(words: str) -> str:
    """The text without blanks and line ends."""
    return re.sub(r"[\s\ufffe\x02]", "", words)


def test_the_text_is_an_official_document(bulletin: Any) -> None:
    page_text = text(blocks(bulletin[1]))
    places = [page_text.index(part) for part in (
        "聊城市大数据局\n", "聊数通〔2026〕1号", "聊城市大数据局关于2026年1月公共数据质量治理情况的通报", "市直有关部门、各公共数据提供单位：",
        "一、总体情况", "二、部门排名", "三、突出问题", "四、超期和反复问题", "五、下步要求", "附件：1．各单位指标", "附件1\n", "附件2\n", "附件3\n",
        "数据截止时间：2026年1月31日24时", "印发",
    )]  # fmt: skip
    assert places == sorted(places)
    assert "（1＋4－2＝3）" in page_text and "汇聚及时率50.00%（上月无可比数据）" in page_text


def test_zero_denominators_are_dashes(bulletin: Any) -> None:
    tables = [block for block in blocks(bulletin[1]) if isinstance(block, Grid) and block.head[0] == "单位"]
    heat = [row for table in tables for row in table.rows if row[0] == "聊城热力集团"]
    cells = {
        name: cell for table, row in zip(tables, heat, strict=True) for name, cell in zip(table.head, row, strict=True)
    }
    assert {cells[name] for name in ("汇聚及时率", "记录合格率", "质量总分", "整改率", "按期整改率", "误报率")} == {"—"}
    assert cells["报送批次"] == cells["期末存量"] == "0"


def test_pdf_and_word_have_the_text_of_the_document(bulletin: Any) -> None:
    parts = blocks(bulletin[1])
    expected = bare(text(parts))
    assert bare(file_text(bulletin[2] / "2026-01.docx")) == expected
    pdf = bare(re.sub(r"— \d+ —", "", file_text(bulletin[2] / "2026-01.pdf")))
    texts = [block.text for block in parts if isinstance(block, Line)]
    texts += [cell for block in parts if isinstance(block, Grid) for row in block.rows for cell in row]
    assert [words for words in texts if bare(words) not in pdf] == []


def test_the_same_document_gives_the_same_text(bulletin: Any) -> None:
    assert text(blocks(bulletin[1])) == text(blocks(json.loads(json.dumps(bulletin[1]))))


def test_pages_have_the_measures_and_fonts_of_the_standard(bulletin: Any) -> None:
    file = bulletin[2] / "2026-01.pdf"
    with PdfDocument(file) as pages:
        assert [round(side / 72 * 25.4) for side in pages[0].get_size()] == [210, 297]
        assert "— 1 —" in pages[0].get_textpage().get_text_range()
    used = set(re.findall(rb"/BaseFont /\w+\+(\w+)", file.read_bytes()))
    assert used == {b"NotoSerifCJKSC", b"NotoSerifCJKSCBold", b"NotoSansCJKSCBold"}
    section = docx.Document(str(bulletin[2] / "2026-01.docx")).sections[0]
    sides = (section.top_margin, section.left_margin, section.right_margin, section.bottom_margin)
    assert [round(side.mm) for side in sides if side] == [37, 28, 26, 35]


def test_no_personal_number_is_shown(bulletin: Any) -> None:
    lake, _, folder = bulletin
    page_text = [file_text(folder / f"2026-01.{ending}") for ending in ("pdf", "docx")]
    page_text += [data.decode(errors="replace") for data in lake.outputs().values()]
    for canary in CANARIES:
        assert not [found for found in page_text if canary in bare(found)]
    assert "3725**********0041" in bare(page_text[0])  # a case shows its sample, starred


def test_a_machine_without_chinese_fonts_is_told_what_to_install(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="fonts-noto-cjk"):
        fonts(Settings(_env_file=None, fonts=tmp_path))  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("一二三四五六", ["一二三四", "五六"]),
        ("一二三四，五六", ["一二三", "四，五六"]),
        ("一二三（四五）六", ["一二三", "（四五）", "六"]),
        ("一二三100％六", ["一二三", "100％", "六"]),
        ("abcdefghij", ["abcd", "efgh", "ij"]),
    ],
)
def test_lines_begin_and_end_as_chinese_lines_do(words: str, expected: list[str]) -> None:
    assert lines(words, 4, 0, len) == expected


def test_the_first_line_is_indented() -> None:
    assert lines("一二三四五六", 4, 2, len) == ["一二", "三四五六"]
