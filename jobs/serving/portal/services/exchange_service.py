"""Lists from files for an actor: a department's own list becomes drafts, the province's catalogue is compared with ours."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ulid import ULID

from jobs.access import rights
from jobs.access.policy import Right
from jobs.access.roles import acts_for_department
from jobs.catalogue.list_import import Matching
from jobs.catalogue.province.result import Result, read_result
from jobs.errors import NotAllowed, ServiceUnavailable, Unknown
from jobs.lake.session import is_unavailable
from jobs.model.actor import Actor
from jobs.pipeline import province
from jobs.pipeline.catalogue import Imported, import_list, records
from jobs.serving.portal.context import Portal
from jobs.serving.portal.multipart import WrongKind

FOLDER = "reports/exchange/"
RUN = re.compile(r"[0-9A-HJKMNP-TV-Z]{26}")
MOST_RUNS = 10
LISTS, EXTRACTS = (".xlsx", ".xls"), (".xlsx", ".xls", ".json")
UNAVAILABLE = "对象存储暂时无响应，以前的比对结果稍后再看"


@dataclass(frozen=True)
class ExchangeService:
    """What the actor may bring in, compare, and adopt."""

    portal: Portal
    actor: Actor

    def may_import(self) -> bool:
        """Whether the actor hands in the list of a department."""
        return rights.may(self.actor, Right.DELIVER)

    def check_import(self) -> None:
        """NotAllowed where the actor acts for no department."""
        rights.check_right(self.actor, Right.DELIVER, "导入部门清单")

    def import_list(self, file: Path) -> tuple[Matching, tuple[Imported, ...]]:
        """Drafts from the department's list, and what came of each row."""
        self.check_import()
        _check_ending(file, LISTS)
        return import_list(self.portal.registry(), self.portal.tickets, file, (self.actor, self.portal.now()))

    def form_file(self, ending: str) -> tuple[bytes, str]:
        """The published entries in the province's form, as bytes with their media type."""
        registry, at = self.portal.registry(), self.portal.now()
        known = records(registry, self.portal.tickets, at)
        return province.form_file(province.published(registry, known, self.portal.settings), ending)

    def may_reconcile(self) -> bool:
        """Whether the actor compares the catalogue with the province's."""
        return rights.may(self.actor, Right.MEDIATE)

    def check_reconcile(self) -> None:
        """NotAllowed where the actor does not."""
        rights.check_right(self.actor, Right.MEDIATE, "比对省级目录")

    def reconcile(self, file: Path) -> str:
        """The id of the stored result."""
        self.check_reconcile()
        _check_ending(file, EXTRACTS)
        act = (self.actor, self.portal.now())
        settings = self.portal.settings
        found = province.reconcile_file(self.portal.registry(), self.portal.tickets, settings, file, act)
        run = str(ULID())
        content, media = province.result_file(found, "json")
        self.portal.lake.store.put_bytes(f"{FOLDER}{run}.json", content, media)
        return run

    def runs(self) -> tuple[Mapping[str, Result], str]:
        """The newest results by id, newest first, and a note in Chinese where they cannot be read."""
        try:
            keys = [one.key for one in self.portal.lake.store.list(FOLDER)]
            ids = [key.removeprefix(FOLDER).removesuffix(".json") for key in sorted(keys, reverse=True)]
            return {run: self.run(run) for run in ids[:MOST_RUNS]}, ""
        except Exception as error:
            if not isinstance(error, ServiceUnavailable) and not is_unavailable(error):
                raise
            return {}, UNAVAILABLE

    def run(self, run: str) -> Result:
        """A stored result; of a department, what concerns it. Unknown where there is none."""
        key = f"{FOLDER}{run}.json"
        if not RUN.fullmatch(run) or self.portal.lake.store.head(key) is None:
            raise Unknown("没有这次比对")
        found = read_result(json.loads(self.portal.lake.store.get_bytes(key)))
        return found.of(self.actor.department, self._own()) if acts_for_department(self.actor) else found

    def run_file(self, run: str, ending: str) -> tuple[bytes, str]:
        """A result as xlsx or json, as bytes with their media type."""
        return province.result_file(self.run(run), ending)

    def adopt(self, run: str, datasets: Sequence[str]) -> tuple[Imported, ...]:
        """Drafts of the chosen entries of the department, with the codes that the province gave."""
        if not self.may_import():
            raise NotAllowed("省级代码由数源部门的填报员或审核员采用，按目录变更办理")
        chosen = [offer for offer in self.run(run).offers if offer.dataset in datasets]
        act = (self.actor, self.portal.now())
        return province.adopt_codes(self.portal.registry(), self.portal.tickets, chosen, act)

    def _own(self) -> frozenset[str]:
        contracts = self.portal.registry().sources()
        return frozenset(c.id for c in contracts if c.provider == self.actor.department)


def _check_ending(file: Path, endings: Sequence[str]) -> None:
    if file.suffix.lower() not in endings:
        raise WrongKind(f"这里只接收 {'、'.join(endings)} 文件")
