"""What every request needs, opened once: state database, lake, contracts, clock."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol
from zoneinfo import ZoneInfo

from jobs import contracts
from jobs.access.grants import Grants
from jobs.catalogue import Index, entries
from jobs.catalogue.counting import DatasetState
from jobs.collaboration import Tickets
from jobs.collaboration import opened as opened_tickets
from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.lake import opened as opened_lake
from jobs.model.actor import Actor
from jobs.pipeline import correction_workbook
from jobs.pipeline.catalogue_check import Coverage, coverage
from jobs.pipeline.document_checks import document_checks
from jobs.pipeline.registers import dataset_states
from jobs.serving.access_log import AccessLog
from jobs.serving.accounts import Accounts
from jobs.serving.cache import CachedValue
from jobs.serving.portal.feeds import Feeds, read_feeds
from jobs.serving.portal.loops import Loops
from jobs.serving.portal.overview_snapshot import OverviewSnapshot, read_overview
from jobs.serving.sessions import Sessions
from jobs.settings import Settings

if TYPE_CHECKING:
    from jobs.serving.sql.service import SqlService

CONTRACTS_S = 300.0
OVERVIEW_S = 60.0
FEEDS_S = 2.0


class Workbooks(Protocol):
    """Exports a ticket's workbook and imports a filled one; implemented by the pipeline."""

    def workbook(self, lake: Lake, registry: Registry, ticket_id: str, actor: Actor) -> bytes:
        """The workbook that a department fills in."""

    def answer(self, lake: Lake, registry: Registry, ticket_id: str, actor: Actor, file: Path) -> str:
        """The outcome of a filled workbook or corrected file: a redelivery that names the ticket."""


class PipelineWorkbooks:
    """The workbooks of the pipeline."""

    def workbook(self, lake: Lake, registry: Registry, ticket_id: str, actor: Actor) -> bytes:
        return correction_workbook.ticket_workbook(lake, registry, ticket_id, actor)

    def answer(self, lake: Lake, registry: Registry, ticket_id: str, actor: Actor, file: Path) -> str:
        return correction_workbook.answer_ticket(lake, registry, ticket_id, actor, file)


@dataclass(frozen=True)
class Portal:
    """Handles that all requests share."""

    settings: Settings
    tickets: Tickets
    lake: Lake
    registry: Callable[[], Registry]
    workbooks: Workbooks = field(default_factory=PipelineWorkbooks)
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def zone(self) -> ZoneInfo:
        return ZoneInfo(self.settings.timezone)

    @property
    def accounts(self) -> Accounts:
        return Accounts(self.tickets.database)

    @property
    def grants(self) -> Grants:
        return Grants(self.tickets.database)

    @property
    def access(self) -> AccessLog:
        return AccessLog(self.tickets.database)

    @cached_property
    def overview(self) -> CachedValue[OverviewSnapshot]:
        """All deliveries with verdicts and scores, as of a minute ago."""
        return CachedValue(lambda: read_overview(self.lake, self.registry()), OVERVIEW_S)

    @cached_property
    def feeds(self) -> CachedValue[Feeds]:
        """How all streams of readings are doing, as of some seconds ago."""
        return CachedValue(lambda: read_feeds(self.lake, self.registry(), self.now()), FEEDS_S)

    @cached_property
    def sql_service(self) -> "SqlService":
        """The way to the lake by SQL; its engine is loaded with the first query."""
        from jobs.serving.sql.service import SqlService

        return SqlService(self.lake, self.tickets.database, self.registry, self.now)

    @cached_property
    def index(self) -> CachedValue[Index]:
        """Search over the datasets that people report."""
        return CachedValue(lambda: Index(e for e in entries(self.registry()) if not e.is_product), CONTRACTS_S)

    @cached_property
    def coverage(self) -> CachedValue[tuple[Coverage, ...]]:
        """What departments owe and what the lake has, as of a minute ago."""
        return CachedValue(lambda: coverage(self.lake, self.registry(), self.tickets, self.now()), OVERVIEW_S)

    @cached_property
    def dataset_states(self) -> CachedValue[Mapping[str, DatasetState]]:
        """What the lake knows of each dataset and product, as of a minute ago."""

        def read() -> Mapping[str, DatasetState]:
            return dataset_states(self.lake, self.registry(), self.tickets, self.overview.get().entries, self.now())

        return CachedValue(read, OVERVIEW_S)

    @cached_property
    def loops(self) -> Loops:
        """Ticket metrics by month."""
        return Loops(self.tickets, self.now, self.zone)

    @property
    def sessions(self) -> Sessions:
        idle, longest = self.settings.portal_idle_min, self.settings.portal_session_h
        return Sessions(self.tickets.database, timedelta(minutes=idle), timedelta(hours=longest))


@contextmanager
def opened(settings: Settings) -> Iterator[Portal]:
    """A portal on the settings' lake; its connections are released at the end."""

    def read() -> Registry:
        return contracts.load_usable(settings.schemas, settings.expectations)

    registry = CachedValue(read, CONTRACTS_S).get
    owners = partial(_owners, registry)
    with opened_tickets(settings, owners, document_checks(registry)) as tickets, opened_lake(settings) as lake:
        yield Portal(settings, tickets, lake, registry)


def _owners(registry: Callable[[], Registry]) -> Mapping[str, str]:
    return registry().providers()
