"""Parts of a bulletin → a Word document with the same text, in the measures and faces of GB/T 9704-2012.

Word uses the faces of the machine that opens it: 方正小标宋, 仿宋, 黑体, 楷体.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from docx import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING, WD_TAB_ALIGNMENT
from docx.oxml import OxmlElement
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor
from docx.text.paragraph import Paragraph

from jobs.reporting.bulletin.parts import Block, Grid, Line, NewPage
from jobs.reporting.bulletin.styles import HEIGHT, LEFT, LOOKS, RED, TABLE_PT, TOP, WIDTH, TextStyle

FACES: Mapping[str, str] = {"song": "方正小标宋简体", "fang": "仿宋", "hei": "黑体", "kai": "楷体"}
PAGE_HEIGHT, PAGE_WIDTH = 297.0, 210.0
EXACT_PT, BODY_PT = 28.95, 16.0
MASTHEAD = TextStyle("song", 48, "C", pitch=20)
IMPRINT = TextStyle("fang", 14, "L", pitch=9)
ALIGN = {
    "J": WD_ALIGN_PARAGRAPH.JUSTIFY,
    "C": WD_ALIGN_PARAGRAPH.CENTER,
    "R": WD_ALIGN_PARAGRAPH.RIGHT,
    "L": WD_ALIGN_PARAGRAPH.LEFT,
}


def write_word(parts: Iterable[Block], file: Path) -> None:
    """Write the document at `file`."""
    document = Document()
    _page(document)
    previous: Block | None = None
    for block in parts:
        if isinstance(block, Grid):
            _grid(document, block)
        elif isinstance(block, Line):
            _line(document, block, previous)
        previous = block
    document.save(str(file))


def _page(document: Any) -> None:
    section = document.sections[0]
    section.page_height, section.page_width = Mm(PAGE_HEIGHT), Mm(PAGE_WIDTH)
    section.top_margin, section.bottom_margin = Mm(TOP), Mm(PAGE_HEIGHT - TOP - HEIGHT)
    section.left_margin, section.right_margin = Mm(LEFT), Mm(PAGE_WIDTH - LEFT - WIDTH)
    section.footer_distance = Mm(PAGE_HEIGHT - TOP - HEIGHT - 12)
    document.settings.odd_and_even_pages_header_footer = True
    _number(section.footer.paragraphs[0], WD_ALIGN_PARAGRAPH.RIGHT)
    _number(section.even_page_footer.paragraphs[0], WD_ALIGN_PARAGRAPH.LEFT)
    _face(document.styles["Normal"], "fang", BODY_PT)
    properties = document.core_properties
    properties.author, properties.comments, properties.title = "", "", ""


def _number(paragraph: Paragraph, align: WD_ALIGN_PARAGRAPH) -> None:
    """Page number as — 1 —, on the outer side."""
    paragraph.alignment = align
    paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Pt(14)
    for before, code in (("— ", "PAGE"), (" —", "")):
        _face(paragraph.add_run(before), "fang", 14)
        if code:
            field = OxmlElement("w:fldSimple")
            field.set(qn("w:instr"), code)
            paragraph._p.append(field)


def _line(document: Any, block: Line, previous: Block | None) -> None:
    look = {"masthead": MASTHEAD, "imprint": IMPRINT}.get(block.kind) or LOOKS[block.kind]
    paragraph = document.add_paragraph()
    if isinstance(previous, NewPage):
        paragraph.paragraph_format.page_break_before = True
    run = paragraph.add_run(block.text)
    size = round(look.size * 2) / 2
    _face(run, look.face, size)
    _format(paragraph, look, size)
    is_first = not isinstance(previous, Line) or previous.kind != block.kind
    if block.kind in ("attachment", "signature") and is_first:
        paragraph.paragraph_format.space_before = Pt(EXACT_PT)
    paragraph.paragraph_format.keep_with_next = look.face in ("hei", "kai") or block.kind == "attachment"
    if block.kind in ("masthead", "number"):
        _red(paragraph, run, block.kind == "number")
    if block.kind == "imprint":
        paragraph.paragraph_format.tab_stops.add_tab_stop(Mm(WIDTH - 5), WD_TAB_ALIGNMENT.RIGHT)
        _rules(paragraph, {"top": "000000", "bottom": "000000"})


def _format(paragraph: Paragraph, look: TextStyle, size: float) -> None:
    form = paragraph.paragraph_format
    paragraph.alignment = ALIGN[look.align]
    form.space_after, form.space_before = Pt(0), Mm(look.above)
    form.line_spacing_rule, form.line_spacing = WD_LINE_SPACING.EXACTLY, Mm(look.pitch)
    form.first_line_indent, form.left_indent = Pt(look.first * size), Pt(look.left * size)
    form.right_indent = Pt(look.right * size)


def _red(paragraph: Paragraph, run: Any, is_ruled: bool) -> None:
    """Red text for the masthead; a red rule under the document number."""
    if is_ruled:
        _rules(paragraph, {"bottom": "{:02X}{:02X}{:02X}".format(*RED)})
    else:
        run.font.color.rgb = RGBColor(*RED)


def _rules(paragraph: Paragraph, sides: Mapping[str, str]) -> None:
    borders = OxmlElement("w:pBdr")
    for side, colour in sides.items():
        rule = OxmlElement(f"w:{side}")
        for name, value in (("val", "single"), ("sz", "16"), ("space", "4"), ("color", colour)):
            rule.set(qn(f"w:{name}"), value)
        borders.append(rule)
    paragraph._p.get_or_add_pPr().insert_element_before(
        borders, "w:shd", "w:tabs", "w:suppressAutoHyphens", "w:spacing", "w:ind", "w:jc"
    )


def _grid(document: Any, block: Grid) -> None:
    table = document.add_table(rows=0, cols=len(block.head))
    table.style, table.autofit = "Table Grid", False
    share = WIDTH / sum(block.widths)
    for column, width in zip(table.columns, block.widths, strict=True):
        column.width = Mm(share * width)
    for place, cells in enumerate((block.head, *block.rows)):
        row = table.add_row()
        for column, (cell, text) in enumerate(zip(row.cells, cells, strict=True)):
            cell.width = Mm(share * block.widths[column])
            paragraph = cell.paragraphs[0]
            is_right = place and column in block.numeric
            paragraph.alignment = WD_ALIGN_PARAGRAPH.RIGHT if is_right else WD_ALIGN_PARAGRAPH.LEFT
            paragraph.paragraph_format.space_after = Pt(0)
            _face(paragraph.add_run(text), "fang" if place else "hei", TABLE_PT)
    _repeat(table.rows[0])
    gap = document.add_paragraph()
    gap.paragraph_format.line_spacing, gap.paragraph_format.space_after = Pt(4), Pt(0)
    _face(gap.add_run(), "fang", 1)


def _repeat(row: Any) -> None:
    """Repeat the table's head on each page."""
    mark = OxmlElement("w:tblHeader")
    mark.set(qn("w:val"), "true")
    row._tr.get_or_add_trPr().append(mark)


def _face(styled: Any, face: str, size: float) -> None:
    styled.font.name, styled.font.size = FACES[face], Pt(size)
    properties = styled._element.get_or_add_rPr()
    properties.get_or_add_rFonts().set(qn("w:eastAsia"), FACES[face])
