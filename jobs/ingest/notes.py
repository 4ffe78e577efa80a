"""Findings collected while files are read: one per kind, however many files it concerns."""

import json
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from jobs.errors import DeliveryError
from jobs.model.delivery import Finding

FILES_SHOWN = 20
ROWS_SHOWN = 10
ROWS_NAMED = 200
"""Of rows that are left out, so many are named."""


@dataclass
class _Count:
    message: str
    total: int = 0
    rows: list[str] = field(default_factory=list)
    files: dict[str, int] = field(default_factory=dict)

    def finding(self, kind: str) -> Finding:
        detail = {"count": self.total, "first_rows": self.rows, **_files(list(self.files))}
        return Finding(kind, self.message.format(count=self.total), detail)


@dataclass
class Notes:
    """All findings of one delivery; grows until its last row is read."""

    _facts: dict[str, tuple[Finding, list[str]]] = field(default_factory=dict)
    _counts: dict[str, _Count] = field(default_factory=dict)

    def say(self, file: str, finding: Finding) -> None:
        """Add a finding about a file; the same finding about another file is merged with it."""
        key = json.dumps([finding.kind, finding.message, finding.detail], ensure_ascii=False, default=str)
        self._facts.setdefault(key, (finding, []))[1].append(file)

    def count(self, file: str, kind: str, message: str, rows: Iterable[int | str], number: int | None = None) -> None:
        """Add rows to a count; `message` holds `{count}`. A row is its number, or a text that begins with it."""
        row_numbers = list(rows)
        number = len(row_numbers) if number is None else number
        if not number:
            return
        entry = self._counts.setdefault(kind, _Count(message))
        entry.total += number
        entry.files[file] = entry.files.get(file, 0) + number
        most = ROWS_NAMED if any(isinstance(row, str) for row in row_numbers) else ROWS_SHOWN
        entry.rows.extend(f"{file} {_place(row)}" for row in row_numbers[: max(most - len(entry.rows), 0)])

    def copy(self) -> "Notes":
        """The findings so far, for `restore`."""
        return Notes(deepcopy(self._facts), deepcopy(self._counts))

    def restore(self, earlier: "Notes") -> None:
        """Forget what was found since: the file is read another way."""
        self._facts, self._counts = earlier._facts, earlier._counts

    def findings(self) -> list[Finding]:
        """The findings so far: facts in order of occurrence, then counts."""
        facts = [Finding(f.kind, f.message, {**f.detail, **_files(files)}) for f, files in self._facts.values()]
        return facts + [c.finding(kind) for kind, c in self._counts.items()]


def _place(row: int | str) -> str:
    """The row in words: 第 7 行; of a text such as `7（合计）`, 第 7 行（合计）."""
    number, opening, rest = str(row).partition("（")
    return f"第 {number} 行{opening}{rest}"


def _files(files: list[str]) -> dict[str, Any]:
    return {"files": files[:FILES_SHOWN], "file_count": len(files)}


@dataclass(frozen=True)
class FileNotes:
    """The notes of one file."""

    file: str
    notes: Notes

    def say(self, kind: str, message: str, **detail: Any) -> None:
        """Add a finding about this file."""
        self.notes.say(self.file, Finding(kind, message, detail))

    def count(self, kind: str, message: str, rows: Iterable[int | str], number: int | None = None) -> None:
        """Add rows of this file to a count; `message` holds `{count}`. A row is its number, or a text that begins with it."""
        self.notes.count(self.file, kind, message, rows, number)

    def error(self, message: str) -> DeliveryError:
        """The error that refuses this file, with its name."""
        return DeliveryError(f"文件「{self.file}」{message}")
