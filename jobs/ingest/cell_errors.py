"""Cells in which a spreadsheet shows an error instead of a value: #N/A, #REF!, #DIV/0!. Neither values nor missing ones."""

from collections.abc import Mapping
from dataclasses import replace

import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Contract
from jobs.ingest.grid import Chunk
from jobs.ingest.notes import FileNotes
from jobs.ingest.wordings import wording

ERROR_WORDS = frozenset(("#N/A", "#REF!", "#DIV/0!", "#VALUE!", "#NAME?", "#NUM!", "#NULL!", "#SPILL!", "#CALC!"))
ERROR_BYTES = tuple(word.encode() for word in sorted(ERROR_WORDS))
AS_SENT = "公式错误："
"""How the reason begins why a row with such a cell is held back."""


def has_error_words(data: bytes) -> bool:
    """Whether some cell may have such a word."""
    return b"#" in data and any(word in data for word in ERROR_BYTES)


def held_back(chunk: Chunk, contract: Contract, positions: Mapping[str, int], notes: FileNotes) -> Chunk:
    """The chunk with each row marked in which a declared field has an error; `positions`: field → column.

    A word that the contract declares as missing is a missing value.
    """
    cells_by_row: dict[int, list[str]] = {}
    for name, position in positions.items():
        words = ERROR_WORDS - _missing(contract, name)
        is_error = pc.is_in(pc.utf8_trim_whitespace(chunk.cells[position]), pa.array(sorted(words), pa.string()))
        for row in pc.indices_nonzero(is_error).to_pylist() if words else ():
            word = chunk.cells[position][row].as_py().strip()
            cells_by_row.setdefault(row, []).append(f"{contract.field(name).title} {word}")
    if not cells_by_row:
        return chunk
    number = sum(map(len, cells_by_row.values()))
    rows = [f"{chunk.rows[row].as_py()}（{'、'.join(cells)}）" for row, cells in sorted(cells_by_row.items())]
    notes.count("cell_errors", wording("cell_errors"), rows, number)
    return _marked(chunk, {row: AS_SENT + "、".join(cells) for row, cells in cells_by_row.items()})


def _missing(contract: Contract, name: str) -> frozenset[str]:
    return frozenset((*contract.layout.missing, *contract.field(name).source.missing))


def _marked(chunk: Chunk, reasons: Mapping[int, str]) -> Chunk:
    """Rows with a reason why they are no data as it should be, and their cells as one text."""
    faults, lines = chunk.malformed.to_pylist(), [None] * len(chunk) if chunk.lines is None else chunk.lines.to_pylist()
    for row, reason in reasons.items():
        if faults[row] is None:
            faults[row] = reason
            lines[row] = " | ".join(cell[row].as_py() or "" for cell in chunk.cells)
    return replace(chunk, malformed=pa.array(faults, pa.string()), lines=pa.array(lines, pa.string()))
