"""Parts of a bulletin → a PDF on A4 in the measures of GB/T 9704-2012, with its fonts embedded."""

from collections.abc import Iterable, Mapping
from pathlib import Path

from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace

from jobs.reporting.bulletin.lines import lines
from jobs.reporting.bulletin.parts import Block, Grid, Kind, Line, NewPage
from jobs.reporting.bulletin.styles import (
    BODY_PT,
    CHARACTER,
    HEIGHT,
    LEFT,
    LOOKS,
    PADDING,
    PITCH,
    POINT,
    RED,
    SIMPLIFIED,
    TABLE_PT,
    TOP,
    WIDTH,
    Fonts,
    TextStyle,
)

KEEP_LINES: Mapping[Kind, int] = {"h1": 2, "h2": 2, "caption": 4}
"""Lines that stay on a heading's page."""
FOOT = 7
"""Lines from the first of the list of annexes to the date, which stay on one page."""


def write_pdf(parts: Iterable[Block], file: Path, fonts: Fonts) -> None:
    """Write the PDF at `file`."""
    page = _Paper(fonts)
    previous: Block | None = None
    for block in parts:
        if isinstance(block, NewPage):
            page.add_page()
        elif isinstance(block, Grid):
            page.grid(block)
        else:
            page.paragraph(block, previous)
        previous = block
    page.output(str(file))


class _Paper(FPDF):
    def __init__(self, fonts: Fonts) -> None:
        super().__init__(unit="mm", format="A4")
        for face, file in fonts.items():
            self.add_font(face, fname=file, collection_font_number=SIMPLIFIED if file.suffix == ".ttc" else 0)
        self.set_margins(LEFT, TOP, self.w - LEFT - WIDTH)
        self.c_margin = 0
        self.set_auto_page_break(True, self.h - TOP - HEIGHT)
        self.add_page()

    def footer(self) -> None:
        """— 1 —, outside: right on odd pages, left on even ones (7.5 of the standard)."""
        self.set_font("fang", size=14)
        self.set_text_color(0)
        self.set_xy(LEFT, TOP + HEIGHT + 7)
        width = 14 / POINT
        self.set_x(LEFT + width)
        self.cell(WIDTH - 2 * width, 5, f"— {self.page_no()} —", align="R" if self.page_no() % 2 else "L")

    def paragraph(self, block: Line, previous: Block | None) -> None:
        """One paragraph."""
        if block.kind == "masthead":
            self._masthead(block.text)
        elif block.kind == "imprint":
            self._imprint(block.text)
        else:
            is_first = not isinstance(previous, Line) or previous.kind != block.kind
            gap = PITCH if block.kind in ("attachment", "signature") and is_first else 0
            self._lines(block, LOOKS[block.kind], gap)
            if block.kind == "number":
                self._red_rule()

    def grid(self, block: Grid) -> None:
        """A table, with its head on each page."""
        self.set_font("fang", size=TABLE_PT)
        self.set_line_width(0.2)
        self.set_draw_color(0)
        aligns = tuple("RIGHT" if place in block.numeric else "LEFT" for place in range(len(block.head)))
        head = FontFace(family="hei", size_pt=TABLE_PT)
        self.ln(1.5)
        with self.table(
            borders_layout=TableBordersLayout.ALL,
            col_widths=block.widths,
            text_align=aligns,
            headings_style=head,
            line_height=5.2,
            padding=(0.8, PADDING),
            width=WIDTH,
            wrapmode="CHAR",
        ) as table:
            for cells in (block.head, *block.rows):
                row = table.row()
                for cell, width in zip(cells, block.widths, strict=True):
                    row.cell(self._broken(cell, WIDTH * width / sum(block.widths) - 2 * PADDING))
        self.set_font("fang", size=BODY_PT)
        self.ln(2.5)

    def _broken(self, text: str, width: float) -> str:
        """A cell's text with lines broken as in paragraphs."""
        return "\n".join(lines(text, width - 0.2, 0, self.get_string_width))

    def _lines(self, block: Line, look: TextStyle, gap: float) -> None:
        self.set_font(look.face, size=look.size)
        self.set_text_color(0)
        character = look.size / POINT
        left, width = look.left * character, WIDTH - (look.left + look.right) * character
        self.ln(look.above + gap)
        broken = lines(block.text, width, look.first * character, self.get_string_width)
        keep = FOOT if block.kind == "attachment" and gap else KEEP_LINES.get(block.kind, 1)
        if self.will_page_break(keep * look.pitch):
            self.add_page()
        for place, text in enumerate(broken):
            indent = look.first * character if place == 0 else 0
            self._line_of_text(text, LEFT + left + indent, width - indent, look, place == len(broken) - 1)

    def _line_of_text(self, text: str, x: float, width: float, look: TextStyle, is_last: bool) -> None:
        """A line; a full one is justified by the space between its characters."""
        if self.will_page_break(look.pitch):
            self.add_page()
        slack = width - self.get_string_width(text)
        spread = look.align == "J" and not is_last and 0 < slack < 3 * self.font_size and len(text) > 1
        self.set_char_spacing(slack / (len(text) - 1) * POINT if spread else 0)
        self.set_x(x)
        self.cell(width, look.pitch, text, align="L" if look.align == "J" else look.align)
        self.set_char_spacing(0)
        self.ln(look.pitch)

    def _masthead(self, text: str) -> None:
        self.set_font("song", size=10)
        size = min(52.0, 10 * (WIDTH - 10) / self.get_string_width(text))
        self.set_font("song", size=size)
        self.set_text_color(*RED)
        self.set_y(max(self.get_y(), TOP + 15))
        self.cell(WIDTH, size / POINT * 1.2, text, align="C")
        self.ln(size / POINT * 1.2)

    def _red_rule(self) -> None:
        self.set_draw_color(*RED)
        self.set_line_width(0.7)
        y = self.get_y() + 4 - (PITCH - CHARACTER) / 2
        self.line_at(y)
        self.set_y(y)

    def line_at(self, y: float) -> None:
        """A rule as wide as the type area."""
        self.line(LEFT, y, LEFT + WIDTH, y)

    def _imprint(self, text: str) -> None:
        """版记: who issued it and when, between two rules at the foot of the last page (7.4 of the standard)."""
        left, _, right = text.partition("\t")
        height = 9.0
        if self.get_y() + height + 3 > TOP + HEIGHT:
            self.add_page()
        y = TOP + HEIGHT - height
        self.set_draw_color(0)
        self.set_line_width(0.35)
        self.set_font("fang", size=14)
        self.line_at(y)
        self.set_xy(LEFT + 5, y)
        self.cell((WIDTH - 10) / 2, height, left)
        self.cell((WIDTH - 10) / 2, height, right, align="R")
        self.line_at(y + height)
