"""The demo city's departments' own lists of their data, as workbooks."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import xlsxwriter
import yaml

from jobs.contracts import Contract, Registry

TITLE_COLUMN, CODE_COLUMN, CATEGORY_COLUMN, PLACE_COLUMN = "信息资源名称", "信息资源代码", "信息资源类别", "序号"
CATEGORY_DIGIT = {"基础信息资源": "1", "主题信息资源": "2", "部门信息资源": "3"}


@cache
def contents() -> Mapping[str, Any]:
    """What the departments state."""
    found: Mapping[str, Any] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
    return found


def write_lists(registry: Registry, folder: Path) -> dict[str, Path]:
    """Each department's list as a workbook, by provider."""
    files: dict[str, Path] = {}
    for number, provider in enumerate(dict.fromkeys(c.provider for c in registry.sources()), 1):
        own = [c for c in registry.sources() if c.provider == provider]
        files[provider] = folder / f"{own[0].department}信息资源清单.xlsx"
        rows = [_row(contract, number, place) for place, contract in enumerate(own, 1)]
        if number == 1:
            rows += [{TITLE_COLUMN: title, **contents()["plain"]} for title in contents()["unknown"]]
        _write(files[provider], own[0].department, rows)
    return files


def _row(contract: Contract, department: int, place: int) -> dict[str, str]:
    stated = contents()["personal" if any(f.is_personal() for f in contract.fields) else "plain"]
    digit = CATEGORY_DIGIT[stated[CATEGORY_COLUMN]]
    return {TITLE_COLUMN: contract.title, CODE_COLUMN: f"{digit}{department:02d}001{place:05d}", **stated}


def _write(file: Path, department: str, rows: Sequence[Mapping[str, str]]) -> None:
    """A title over the heading, as such lists have."""
    columns = contents()["columns"]
    book = xlsxwriter.Workbook(str(file), {"strings_to_numbers": False})
    sheet = book.add_worksheet("清单")
    bold = book.add_format({"bold": True})
    sheet.merge_range(0, 0, 0, len(columns) - 1, f"{department}{contents()['title']}", bold)
    for column, name in enumerate(columns):
        sheet.write_string(1, column, name, bold)
    for place, row in enumerate(rows, 1):
        for column, name in enumerate(columns):
            sheet.write_string(place + 1, column, str(place) if name == PLACE_COLUMN else row.get(name, ""))
    book.close()
