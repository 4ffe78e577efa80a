"""Layout of a bulletin, for any output format: the measures of GB/T 9704-2012, the typefaces, and their font files."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import SetupError
from jobs.reporting.bulletin.parts import Kind
from jobs.settings import Settings

TOP, LEFT, WIDTH, HEIGHT = 37.0, 28.0, 156.0, 225.0
"""The type area in mm: GB/T 9704-2012, 5.2.1."""
PITCH = HEIGHT / 22
CHARACTER = WIDTH / 28
"""22 lines a page and 28 characters a line: GB/T 9704-2012, 5.2.3."""
POINT = 72 / 25.4
BODY_PT, TABLE_PT, PADDING = CHARACTER * POINT, 10.5, 1.2
RED = (200, 16, 16)
NOTO = Path("/usr/share/fonts/opentype/noto")
SIMPLIFIED = 2
"""Place of the simplified Chinese face in the Noto CJK collections."""
FACES: Mapping[str, tuple[str, ...]] = {
    "song": ("FZXBSJW.TTF", "NotoSerifCJK-Bold.ttc"),
    "fang": ("simfang.ttf", "NotoSerifCJK-Regular.ttc"),
    "hei": ("simhei.ttf", "NotoSansCJK-Bold.ttc"),
    "kai": ("simkai.ttf", "NotoSerifCJK-Bold.ttc"),
}
"""小标宋, 仿宋, 黑体, 楷体: font files of a face, of which the first that exists is used; Noto is the fallback."""
Fonts = Mapping[str, Path]


@dataclass(frozen=True)
class TextStyle:
    """Face, size in points, alignment, and indents in characters of the line's own size."""

    face: str
    size: float = BODY_PT
    align: str = "J"
    first: int = 0
    left: int = 0
    right: int = 0
    above: float = 0
    pitch: float = PITCH


LOOKS: Mapping[Kind, TextStyle] = {
    "notice": TextStyle("hei", 14, "L"),
    "number": TextStyle("fang", align="C", above=PITCH),
    "title": TextStyle("song", 22, "C", above=2 * PITCH, pitch=12),
    "salute": TextStyle("fang", above=PITCH),
    "h1": TextStyle("hei", first=2),
    "h2": TextStyle("kai", first=2),
    "para": TextStyle("fang", first=2),
    "attachment": TextStyle("fang", left=2),
    "signature": TextStyle("fang", align="R", right=2),
    "caption": TextStyle("hei", 12, "C", above=3, pitch=8),
    "annex": TextStyle("hei"),
    "annex_title": TextStyle("song", 22, "C", above=3, pitch=14),
    "note": TextStyle("fang", 10.5, first=2, above=1, pitch=6),
}


def fonts(settings: Settings) -> Fonts:
    """The file of each face; SetupError where there is none."""
    folder = settings.fonts or NOTO
    files = {face: next((folder / n for n in names if (folder / n).is_file()), None) for face, names in FACES.items()}
    if not all(files.values()):
        raise SetupError(
            f"no Chinese fonts in {folder}: apt-get install fonts-noto-cjk, or LAKE_FONTS names a folder / 缺少中文字体"
        )
    return {face: file for face, file in files.items() if file}


def check_fonts(settings: Settings) -> None:
    """SetupError where no PDF could be written; checked before anything is written."""
    fonts(settings)
