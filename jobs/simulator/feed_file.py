"""What a feed's file declares: provider, file name, headers, and the faults to plant. One file per dataset in feeds/."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart
from jobs.contracts.place import place
from jobs.simulator.planted_texts import TEXTS, appended, rewritten
from jobs.simulator.planting import (
    HARMLESS,
    Plan,
    Plant,
    Value,
    Where,
    anywhere,
    change,
    copied,
    drifting,
    frozen,
    misshapen,
    rolled,
    spare,
    when,
)
from jobs.simulator.rows import Cell

FOLDER = Path(__file__).parent / "feeds"
SEVERITIES = {"breaks": "critical", "warns": "warning", "informs": "info", "repairs": "info", "harmless": "info"}
WAYS = ("to", "by", "append", "copied", "surplus", "frozen", "rolled", "drifting")


class Frozen(ContractPart):
    """One value for `length` consecutive readings of a point."""

    length: int
    at: str
    point: str
    value: Cell


class Rolled(ContractPart):
    """A counter that starts `before` below the top of its dial."""

    digits: int
    at: str
    point: str
    before: float


class Drifting(ContractPart):
    """A field that moves by `start`, then by `step` more in each of the last readings."""

    length: int
    at: str
    point: str
    start: float
    step: float


class PlannedFault(ContractPart):
    """A fault in one of the ways of WAYS; `by` and `where` name functions of the feed."""

    effect: Literal["breaks", "warns", "informs", "repairs", "harmless"]
    kind: str
    field: str
    to: Cell | Mapping[str, Cell] = Field(None, description="New cell of the field, or cells by field.")
    by: str = Field("", description="Function that gives the new cells.")
    append: str = Field("", description="Text behind the value.")
    copied: Cell = Field(None, description="The row is sent again, with this cell where one is given.")
    surplus: int = Field(0, description="Cells too many in the line; negative: too few.")
    frozen: Frozen | None = None
    rolled: Rolled | None = None
    drifting: Drifting | None = None
    where: str | Mapping[str, Cell] = ""
    rules: tuple[str, ...] = ()
    repair: str = ""
    times: int = 1
    survives: bool = False

    @model_validator(mode="after")
    def _in_one_way(self) -> Self:
        if len(self.model_fields_set.intersection(WAYS)) != 1:
            raise ValueError(f"needs exactly one of {', '.join(WAYS)}")
        return self

    def plan(self, values: Mapping[str, Value], conditions: Mapping[str, Where]) -> Plan:
        """The plan, with the feed's functions by name; KeyError for an unknown one."""
        return Plan(
            self.kind,
            self.field,
            self._plant(values, self._where(conditions)),
            self.rules,
            repair=HARMLESS if self.effect == "harmless" else self.repair,
            severity=SEVERITIES[self.effect],
            times=self.times,
            survives=self.survives,
        )

    def _where(self, conditions: Mapping[str, Where]) -> Where:
        if isinstance(self.where, str):
            return {"": anywhere, "spare": spare, **conditions}[self.where]
        tests = [when(field, cell) for field, cell in self.where.items()]
        return lambda row: all(test(row) for test in tests)

    def _plant(self, values: Mapping[str, Value], where: Where) -> Plant:
        for series, plant in ((self.frozen, frozen), (self.rolled, rolled), (self.drifting, drifting)):
            if series is not None:
                return plant(**series.model_dump())
        if self.surplus:
            return misshapen(self.surplus, where)
        if "copied" in self.model_fields_set:
            return copied(_of_place(self.copied), where)
        return change(self._value(values), where)

    def _value(self, values: Mapping[str, Value]) -> Cell | Mapping[str, Cell] | Value:
        if self.append:
            return appended(self.field, self.append)
        if self.by:
            return rewritten(self.field, TEXTS[self.by]) if self.by in TEXTS else values[self.by]
        if isinstance(self.to, Mapping):
            return {field: _of_place(cell) for field, cell in self.to.items()}
        return _of_place(self.to)


def _of_place(cell: Cell) -> Cell:
    return place().filled_in(cell) if isinstance(cell, str) else cell


class Workbook(ContractPart):
    """Texts around the table; titles take strftime patterns."""

    sheet: str
    titles: tuple[str, ...]
    footers: tuple[str, ...]


class FeedFile(ContractPart):
    """One dataset's deliveries. `stem`: file name, with a strftime pattern for the day; `headers`: by field, in order.

    `older_headers`: headers of the older layout that differ; null: not in that layout.
    """

    dataset: str
    provider: str
    sender: str
    stem: str
    key: tuple[str, ...]
    headers: Mapping[str, str]
    older_headers: Mapping[str, str | None] = {}
    workbook: Workbook | None = None
    faults: tuple[PlannedFault, ...] = ()


@cache
def feed_file(dataset: str) -> FeedFile:
    """The dataset's file; ContractError where it is wrong."""
    file = read_data(FOLDER / f"{dataset}.yaml", FeedFile)
    return file.model_copy(update={"sender": place().filled_in(file.sender)})
