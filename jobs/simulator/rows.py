"""Rows of a file before it is written, by field name of the contract."""

from collections.abc import Mapping
from dataclasses import dataclass

Cell = str | float | int | None


@dataclass(eq=False, slots=True)
class Row:
    """One record. `spare`: nothing else refers to it. `surplus`: cells too many (or, negative, too few) in the line."""

    cells: dict[str, Cell]
    spare: bool = False
    surplus: int = 0
    touched: bool = False

    def text(self, field: str) -> str:
        """The cell as text; empty where there is none."""
        value = self.cells.get(field)
        return "" if value is None else str(value)

    def copy(self, changes: Mapping[str, Cell] | None = None) -> "Row":
        """A copy of the row with the changes."""
        return Row({**self.cells, **(changes or {})}, self.spare, self.surplus, touched=True)
