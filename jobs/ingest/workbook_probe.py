"""Run as a separate process with limited memory: does a sheet of a workbook fit? Exit code 0 means yes.

A workbook of a few kilobytes can demand more memory than there is, for example by three cells in far corners of a sheet, and
the reader's library then aborts the process. Any other defect of a workbook is left for the reader to report.
"""

import resource
import subprocess
import sys
import zipfile
from functools import lru_cache
from pathlib import Path

from python_calamine import CalamineWorkbook, SheetVisibleEnum, load_workbook

MOST_BYTES = 4 << 30
MOST_CPU_S = 1200


def fits(path: Path, sheet: str | int) -> bool:
    """Whether the sheet, named or counted from 0, can be read in bounded memory; tried in another process."""
    state = path.stat()
    return _fits(path, state.st_size, state.st_mtime_ns, sheet)


@lru_cache(maxsize=8)
def _fits(path: Path, size: int, modified: int, sheet: str | int) -> bool:
    del size, modified
    sheet_argument = f"={sheet}" if isinstance(sheet, str) else str(sheet)
    command = [sys.executable, "-I", __file__, str(path), sheet_argument, str(MOST_BYTES)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _open(path: str, sheet: str, most: int) -> None:
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if sum(info.file_size for info in archive.infolist()) > most // 2:
                raise MemoryError
    book = load_workbook(path)
    name = sheet_name(book, sheet[1:] if sheet[:1] == "=" else int(sheet))
    if name is not None:
        book.get_sheet_by_name(name)


def visible_sheets(book: CalamineWorkbook) -> list[str]:
    """Names of the sheets that Excel shows; all where none is shown."""
    visible = [sheet.name for sheet in book.sheets_metadata if sheet.visible == SheetVisibleEnum.Visible]
    return visible or list(book.sheet_names)


def sheet_name(book: CalamineWorkbook, name_or_position: str | int) -> str | None:
    """The sheet of that name, hidden or not, or the visible one at a position from 0; None where there is none."""
    if isinstance(name_or_position, str):
        return next((name for name in book.sheet_names if name.strip() == name_or_position.strip()), None)
    names = visible_sheets(book)
    return names[name_or_position] if name_or_position < len(names) else None


def _main(path: str, sheet: str, bytes_: str) -> int:
    most = int(bytes_)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_S, MOST_CPU_S))
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        _open(path, sheet, most)
    except MemoryError:
        return 1
    except Exception:
        return 0
    return 0


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))
