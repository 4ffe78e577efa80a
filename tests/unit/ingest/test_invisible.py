"""Characters that nobody sees are told, in every format that people type in."""

from pathlib import Path

import openpyxl
import pytest

from jobs.ingest.reading import LocalFile, read
from tests.unit.ingest.test_delimited import contract

ODD = ("A\u200e1", "A\u00ad1", "A\u20601", "e\u0301tude", "\u202aA1\u202c")
PLAIN = ("A1", "“引号”", "étude", "—", "×", "½")


def told(path: Path, format_: str, folder: Path) -> list[str]:
    reading = read([LocalFile(path.name, path)], contract("no", "value", format=format_), folder)
    assert sum(len(batch) for batch in reading.batches) == 3
    kinds = {finding.kind: finding.detail.get("count") for finding in reading.findings}
    return [f"{kinds[kind]} {kind}" for kind in kinds if kind == "characters_invisible"]


def csv(folder: Path, text: str) -> Path:
    file = folder / "d.csv"
    file.write_text(f"no,value\n1,x\n2,{text}\n3,y\n", "utf-8")
    return file


def excel(folder: Path, text: str) -> Path:
    book = openpyxl.Workbook()
    for row in (("no", "value"), ("1", "x"), ("2", text), ("3", "y")):
        book.active.append(row)
    book.save(folder / "d.xlsx")
    return folder / "d.xlsx"


@pytest.mark.parametrize("make", [csv, excel])
@pytest.mark.parametrize("text", ODD)
def test_invisible_characters_are_told(make, text: str, tmp_path: Path) -> None:
    assert told(make(tmp_path, text), make.__name__, tmp_path) == ["1 characters_invisible"]


@pytest.mark.parametrize("make", [csv, excel])
@pytest.mark.parametrize("text", PLAIN)
def test_other_characters_are_not(make, text: str, tmp_path: Path) -> None:
    assert told(make(tmp_path, text), make.__name__, tmp_path) == []
