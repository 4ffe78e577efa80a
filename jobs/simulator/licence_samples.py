"""Samples of licences as PDF files: the type's name, made-up contents, and the watermark 样例 over all."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from fpdf import FPDF

FACE = "sample"
WIDTH_MM, HEIGHT_MM = 210, 148
MARK_GREY, INK = 225, 20
MARKS = [(x, y) for x in range(10, WIDTH_MM, 60) for y in range(30, HEIGHT_MM, 40)]
"""Where the watermark is, in mm."""
SIMPLIFIED = 2
"""Place of the simplified Chinese face in a collection of fonts."""


@cache
def contents() -> Mapping[str, Any]:
    """The texts of a sample."""
    found: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return found


def write_sample(type_name: str, authority: str, file: Path, font: Path) -> None:
    """Write the sample of a type. `font`: a font file with Chinese characters."""
    page = FPDF(unit="mm", format=(HEIGHT_MM, WIDTH_MM), orientation="landscape")
    page.add_font(FACE, fname=font, collection_font_number=SIMPLIFIED if font.suffix == ".ttc" else 0)
    page.set_auto_page_break(False)
    page.add_page()
    page.set_title(f"{type_name}（{contents()['watermark']}）")
    page.set_text_color(MARK_GREY)
    page.set_font(FACE, size=36)
    for x, y in MARKS:
        with page.rotation(30, x, y):
            page.text(x, y, contents()["watermark"])
    page.set_text_color(INK)
    page.rect(8, 8, WIDTH_MM - 16, HEIGHT_MM - 16)
    page.set_xy(0, 22)
    page.set_font(FACE, size=26)
    page.cell(WIDTH_MM, 12, type_name, align="C")
    page.set_font(FACE, size=14)
    for number, (title, text) in enumerate(contents()["lines"]):
        page.set_xy(30, 48 + number * 13)
        page.cell(WIDTH_MM - 60, 10, f"{title}：{text.format(authority=authority)}")
    page.set_font(FACE, size=10)
    page.set_xy(0, HEIGHT_MM - 20)
    page.cell(WIDTH_MM, 6, contents()["note"], align="C")
    page.output(str(file))
