"""A city that lives on the test's lake: people with accounts, dirty deliveries, and the steps that DAG tasks run."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl.worksheet.worksheet import Worksheet

from jobs.contracts.correction import DATA
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.pipeline import steps
from jobs.serving.accounts import Person
from jobs.serving.portal.context import Portal
from jobs.serving.portal.context import opened as opened_portal
from jobs.settings import Settings
from jobs.simulator import START, send
from tests.unit.serving.portal.portal_city import PASSWORD

DATASET = "enterprise_registration"
OWNER, OTHER = "market_regulation", "liaocheng_gas"
PEOPLE = (
    Person("clerk", "reporter", OWNER, "张三"),
    Person("head", "approver", OWNER, "李四"),
    Person("stranger", "approver", OTHER, "赵六"),
    Person("officer", "quality_officer", "bureau", "王五"),
    Person("leader", "leader", "bureau", "孙八"),
    Person("auditor", "auditor", "bureau", "周九"),
    Person("analyst", "analyst", "bureau", "吴十"),
    Person("operator", "operator", "bureau", "郑一"),
)
SEED, SCALE = 11, 0.2
TITLES, FIRST = 4, 5
"""Row of the register's lower heads, and of its first record."""


@dataclass
class Town:
    """A lake with a portal over it. `returned` is what the tasks gave back, as the scheduler would keep it."""

    settings: Settings
    portal: Portal
    returned: list[Any] = field(default_factory=list)

    def go_on(self) -> list[str]:
        """Whatever landed on its way to verdict, report and tickets, as the DAGs do it; ids of the deliveries."""
        landed = [(asset.removeprefix("landing/"), one) for asset, one in steps.watch(self.settings)]
        ids = [one for dataset, _ in landed for one in steps.pending(self.settings, dataset)]
        for one in ids:
            steps.load(self.settings, one)
            self.returned.append(str(steps.conform(self.settings, one).state))
        self.returned += [landed, ids, steps.reports(self.settings, *ids)]
        self.returned.append({done.delivery: len(done.tickets) for done in steps.governed(self.settings, *ids)})
        return ids


@contextmanager
def living(lake: Lake) -> Iterator[Town]:
    """The city on this lake, with its people."""
    with opened_portal(lake.settings) as portal:
        for one in PEOPLE:
            portal.accounts.add(one, datetime.now(UTC), PASSWORD)
        yield Town(lake.settings, portal)


def feeds(folder: Path, *datasets: str) -> dict[str, Path]:
    """Files of the simulated city's first day, by dataset."""
    return {one.dataset: one.path for one in send(START, SEED, folder, SCALE, datasets)}


def hand_over(town: Town, dataset: str, provider: str, file: Path) -> None:
    """A file in the landing bucket."""
    deliver(town.portal.lake.store, [file], dataset, provider, Manifest())


def dirtied(register: Path, target: Path, changes: Iterable[tuple[int, str, str]]) -> Path:
    """The register with cells changed: record from 0, title, value."""
    book = openpyxl.load_workbook(register)
    sheet = _sheet(book, book.sheetnames[0])
    titles = [cell.value for cell in sheet[TITLES]]
    for record, title, value in changes:
        sheet.cell(FIRST + record, titles.index(title) + 1).value = value
    book.save(target)
    return target


def filled(workbook: Path, target: Path, column: str, values: Iterable[str]) -> Path:
    """The workbook as a department fills it: new values in a column, from the first row on; other rows stay."""
    book = openpyxl.load_workbook(workbook)
    sheet = _sheet(book, DATA)
    place = [cell.value for cell in sheet[2]].index(column) + 1
    for row, value in enumerate(values, 3):
        sheet.cell(row, place).value = value
    book.save(target)
    return target


def rows_of(workbook: Path, column: str) -> list[str]:
    """What a column of the workbook's rows holds."""
    sheet = _sheet(openpyxl.load_workbook(workbook), DATA)
    place = [cell.value for cell in sheet[2]].index(column)
    return [row[place] for row in sheet.iter_rows(min_row=3, values_only=True)]


def _sheet(book: openpyxl.Workbook, name: str) -> Worksheet:
    found = book[name]
    assert isinstance(found, Worksheet)
    return found
