"""Request and response models of /api."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from jobs.collaboration import Tickets
from jobs.collaboration.state_machine import Transition
from jobs.model.ticket import Event, Ticket, TicketDelivery
from jobs.reporting.entries import Entry
from jobs.serving.inputs import is_storable
from jobs.serving.portal.services.data_views import DeliveryView, Overview
from jobs.serving.portal.services.ticket_service import TicketView


def storable(text: str) -> str:
    """The text; ValueError where no database can store it."""
    if not is_storable(text):
        raise ValueError("contains invalid characters")
    return text


Words = Annotated[str, AfterValidator(storable), Field(max_length=4000)]
Short = Annotated[str, AfterValidator(storable), Field(max_length=200)]


class In(BaseModel):
    """A request body; unknown keys are an error."""

    model_config = ConfigDict(extra="forbid")


class StepIn(In):
    """A step: the version that the sender saw, and what must be stated."""

    seen: int = Field(ge=0, le=2**31 - 1)
    facts: Annotated[dict[Short, Words], Field(max_length=20)] = {}


class CommentIn(In):
    """A comment."""

    text: Words


class RequestIn(In):
    """A correction request."""

    dataset: Short
    record: Short
    message: Words
    evidence: Words
    field: Short = ""


class NotedIn(In):
    """Which chain is walked, and what was written down of it before, as NUMBER:HASH; may be empty."""

    chain: Literal["events", "access"] = "events"
    noted: Short = ""


class Me(BaseModel):
    """Who is logged in; `csrf` goes into the header X-CSRF-Token of every modifying request."""

    name: str
    person: str
    role: str
    department: str
    csrf: str


class TicketList(BaseModel):
    """One page, and how many there are in all."""

    tickets: list[Ticket]
    total: int
    page: int
    size: int


class StepOut(BaseModel):
    """A step that the reader may take now, and what must be stated for it."""

    event: str
    label: str
    requires: list[str]

    @classmethod
    def of(cls, step: Transition) -> "StepOut":
        return cls(event=step.event, label=Tickets.state_machine().events[step.event], requires=list(step.requires))


class TicketOut(BaseModel):
    """A ticket with what may be done; rows are in the workbook and on the page, not here."""

    ticket: Ticket
    steps: list[StepOut]
    ticket_deliveries: list[TicketDelivery]
    comments: Mapping[int, str]

    @classmethod
    def of(cls, view: TicketView) -> "TicketOut":
        steps = [StepOut.of(step) for step in view.steps]
        return cls(
            ticket=view.ticket, steps=steps, ticket_deliveries=list(view.ticket_deliveries), comments=view.comments
        )


class EventOut(BaseModel):
    """Something that happened."""

    event: Event
    label: str

    @classmethod
    def of(cls, event: Event) -> "EventOut":
        return cls(event=event, label=Tickets.state_machine().event_label(event.event))


class _Copied(BaseModel):
    """An answer whose fields are attributes of a value, of the same names."""

    @classmethod
    def of(cls, value: object) -> Self:
        return cls(**{name: getattr(value, name) for name in cls.model_fields})


class DatasetOut(_Copied):
    """A dataset of the catalogue."""

    id: str
    title: str
    version: str
    provider: str
    department: str
    purpose: str


class FieldOut(BaseModel):
    """A field of a contract."""

    name: str
    title: str
    type: str
    unit: str
    classification: str
    required: bool


class RuleOut(_Copied):
    """A rule in words."""

    id: str
    severity: str
    dimension: str
    message: str
    remedy: str
    basis: str


class DeliveryOut(BaseModel):
    """A delivery with its verdict."""

    id: str
    dataset: str
    provider: str
    received_at: datetime
    state: str
    score: float | None
    rows: int | None = None
    failed_rows: int | None = None
    superseded_by: str | None = None
    answers: list[str] = []
    """Tickets that it answers, where it is an answer and no delivery of its own round."""

    @classmethod
    def of(cls, source: Entry | DeliveryView) -> "DeliveryOut":
        delivery, verdict = source.delivery, source.verdict
        return cls(
            id=delivery.id,
            dataset=delivery.dataset,
            provider=delivery.provider,
            received_at=delivery.received_at,
            state=str(source.state()),
            score=source.scores.total,
            rows=verdict.rows if verdict else None,
            failed_rows=verdict.failed_rows if verdict else None,
            superseded_by=delivery.superseded_by,
            answers=list(delivery.answers) if delivery.is_answer() else [],
        )


class DatasetDetail(BaseModel):
    """A dataset with its contract and rules; deliveries are None where they are another department's."""

    dataset: DatasetOut
    fields: list[FieldOut]
    rules: list[RuleOut]
    deliveries: list[DeliveryOut] | None


class DepartmentOut(BaseModel):
    """A department's numbers; `rank` and `score` are None where nothing was evaluated yet."""

    provider: str
    name: str
    score: float | None
    open: int
    overdue: int
    closed: int
    rank: int | None = None


class CountyOut(BaseModel):
    """A county's score as it is written on the map."""

    code: str
    name: str
    score: str


class OverviewOut(BaseModel):
    """The city."""

    open: int
    overdue: int
    closed: int
    departments: list[DepartmentOut]
    counties: list[CountyOut]

    @classmethod
    def of(cls, view: Overview) -> "OverviewOut":
        ranked = [
            DepartmentOut(
                provider=r.provider,
                name=r.name,
                score=r.score,
                open=r.tally.open,
                overdue=r.tally.overdue,
                closed=r.tally.closed,
                rank=r.rank,
            )
            for r in view.ranked
        ]
        counties = [CountyOut(code=t.code, name=t.name, score=t.score) for t in view.map.tiles]
        total = view.tally
        return cls(open=total.open, overdue=total.overdue, closed=total.closed, departments=ranked, counties=counties)


class NoticeOut(BaseModel):
    """A notice of the reader's department."""

    id: int
    at: datetime
    title: str
    text: str
    is_read: bool


class AccessOut(BaseModel):
    """Sensitive data that somebody was shown."""

    id: int
    at: datetime
    name: str
    role: str
    department: str
    action: str
    object: str
    dataset: str
    grade: str
    reason: str


class AuditOut(BaseModel):
    """A chain, walked: `broken` is the first link that does not fit."""

    events: int
    seq: int
    head: str
    broken: int | None
    ticket: str
    reason: str


class Problem(BaseModel):
    """Why something was not done, in Chinese."""

    detail: str
