"""Tickets for an actor: what waits, one with all that belongs to it, steps, comments, workbooks."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import file_digest
from pathlib import Path
from typing import Any

from deltalake.exceptions import CommitFailedError
from ulid import ULID

from jobs.access import rights
from jobs.access.policy import Right
from jobs.access.roles import acts_for_department, reads_as_sent
from jobs.collaboration import TicketPage, TicketQuery
from jobs.collaboration.state_machine import Transition
from jobs.contracts import Contract
from jobs.contracts.grades import SENSITIVE, STRICTEST, highest
from jobs.errors import NotAllowed, ServiceUnavailable, Unknown
from jobs.lake.session import is_unavailable
from jobs.model.actor import Actor
from jobs.model.ticket import Event, Request, Ticket, TicketDelivery
from jobs.pipeline.ticket_table import write_ticket_table
from jobs.serving.access_log import Access
from jobs.serving.portal.authentication import InvalidForm
from jobs.serving.portal.context import Portal
from jobs.serving.portal.services.answer_service import AnswerProgress, answer_progress
from jobs.serving.portal.services.samples import Sample, failing_rows
from jobs.serving.portal.services.upload_service import ReceivedFile, UploadService

logger = logging.getLogger(__name__)
NUMBERS = ("days",)
REQUEST_KINDS = ("correction", "objection")
MOST_CHARS = 4000
MOST_OF: Mapping[str, int] = {"approver": 60, "provider": 120, "record": 500, "field": 120}
"""Columns that are shorter than MOST_CHARS."""

REQUESTED: Mapping[str, str] = {"record": "哪条记录", "field": "字段", "message": "有什么不对", "evidence": "依据"}


@dataclass(frozen=True)
class TicketView:
    """A ticket with what belongs to it, as the actor may see it. `notes` say what could not be shown."""

    ticket: Ticket
    contract: Contract | None
    events: tuple[Event, ...]
    comments: Mapping[int, str]
    steps: tuple[Transition, ...]
    ticket_deliveries: tuple[TicketDelivery, ...]
    sample: Sample | None
    note: str
    may_comment: bool
    may_download_workbook: bool
    may_answer: bool
    may_open_deliveries: bool
    progress: AnswerProgress | None = None


@dataclass(frozen=True)
class TicketService:
    """What the actor may see and do of tickets."""

    portal: Portal
    actor: Actor

    def page(self, query: TicketQuery) -> TicketPage:
        """A page of tickets."""
        return self.portal.tickets.tickets(self.actor, query, self.portal.now())

    def waiting(self, page: int, size: int) -> TicketPage:
        """What waits for the actor, due soonest first; for a leader, what is overdue in the city."""
        return self.page(replace(self._waiting(), order="due", page=page, size=size))

    def count_waiting(self) -> int:
        """How many tickets wait for the actor."""
        return self.portal.tickets.count(self.actor, self._waiting(), self.portal.now())

    def _waiting(self) -> TicketQuery:
        return TicketQuery(is_overdue=True) if self.actor.role == "leader" else TicketQuery(is_mine=True)

    def ticket(self, ticket_id: str) -> Ticket:
        """The ticket alone; access to its record is recorded."""
        ticket = self.portal.tickets.ticket(ticket_id, self.actor, self.portal.now())
        if ticket.record:
            self._note("record", ticket, SENSITIVE, "查看工单")
        return ticket

    def view(self, ticket_id: str, with_rows: bool = True) -> TicketView:
        """The ticket with all that belongs to it; access to sensitive values is recorded first."""
        tickets, actor = self.portal.tickets, self.actor
        ticket = self.ticket(ticket_id)
        contract = self.portal.registry().contracts.get(ticket.dataset)
        ticket_deliveries = tickets.ticket_deliveries(ticket_id, actor)
        sample, note = self._sample(ticket, contract, ticket_deliveries) if with_rows else (None, "")
        events = self.events(ticket_id)
        is_ended = tickets.state_machine().states[ticket.state].end
        is_packed = ticket.kind in tickets.state_machine().machine_found and bool(ticket_deliveries) and not is_ended
        return TicketView(
            ticket=ticket,
            contract=contract,
            events=events,
            comments=self.comments(ticket_id),
            steps=tickets.possible(ticket_id, actor),
            ticket_deliveries=ticket_deliveries,
            sample=sample,
            note=note,
            may_comment=rights.may(actor, Right.COMMENT),
            may_download_workbook=is_packed and self._may_download_workbook(ticket),
            may_answer=is_packed and self._may_answer(ticket),
            may_open_deliveries=rights.may_know(actor, ticket.owner),
            progress=answer_progress(self.portal, actor, ticket, events),
        )

    def events(self, ticket_id: str) -> tuple[Event, ...]:
        """What happened, oldest first."""
        return self.portal.tickets.events(ticket_id, self.actor)

    def comments(self, ticket_id: str) -> Mapping[int, str]:
        """Texts of comments by the number of their event."""
        return {event.seq: text for event, text in self.portal.tickets.comments(ticket_id, self.actor)}

    def move(self, ticket_id: str, event: str, seen: int, stated: Mapping[str, str]) -> Ticket:
        """The ticket after a step. InvalidForm, Unknown, NotAllowed, InvalidTransition or PolicyRefusal say why not."""
        steps = {step.event: step for step in self.portal.tickets.possible(ticket_id, self.actor)}
        if event not in self.portal.tickets.state_machine().events:
            raise Unknown(f"没有「{event}」这个步骤")
        facts = self._facts(steps[event], stated) if event in steps else {}
        moved = self.portal.tickets.move(ticket_id, event, self.actor, seen, self.portal.now(), facts=facts)
        self._mark(moved.kind, moved.dataset)
        return moved

    def comment(self, ticket_id: str, text: str) -> Event:
        """A comment."""
        if not text.strip():
            raise InvalidForm("留言是空的；请写明内容")
        _check_length("text", "留言", text)
        return self.portal.tickets.commented(ticket_id, self.actor, text.strip(), self.portal.now())

    def request(self, submission: Request) -> str:
        """Id of the ticket of a correction request to another department."""
        rights.check_right(self.actor, Right.REQUEST_CORRECTION, "提交校核申请")
        if submission.dataset not in self.portal.registry().contracts:
            raise InvalidForm("请选择数据集")
        if not (submission.record.strip() and submission.message.strip() and submission.evidence.strip()):
            raise InvalidForm("请写明哪条记录、有什么不对、依据是什么")
        for name, label in REQUESTED.items():
            _check_length(name, label, getattr(submission, name))
        ticket_id = self.portal.tickets.requested(submission, self.actor, self.portal.now())
        self._mark(submission.kind, submission.dataset)
        return ticket_id

    def workbook(self, ticket_id: str) -> tuple[str, bytes]:
        """Name and bytes of the workbook that the department fills in, masked for the officer; noted before it is made."""
        ticket = self.ticket(ticket_id)
        if not self._may_download_workbook(ticket):
            raise NotAllowed("整改包含有报送的数据，只有数据归属单位、责任单位和质量专员可以下载")
        contract = self.portal.registry().contracts.get(ticket.dataset)
        grade = highest(f.classification for f in contract.fields) if contract else STRICTEST
        self._note("workbook", ticket, grade, f"整改工单 {ticket_id}")
        content = self.portal.workbooks.workbook(self.portal.lake, self.portal.registry(), ticket_id, self.actor)
        return f"{ticket_id}.xlsx", content

    def check_answer(self, ticket_id: str) -> None:
        """Unknown or NotAllowed where the actor may not answer the ticket with a file."""
        if not self._may_answer(self.ticket(ticket_id)):
            raise NotAllowed("只有数据归属单位可以上传整改包")

    def answer(self, ticket_id: str, file: Path) -> str:
        """Key of the received workbook, which is recorded as an upload of the department."""
        self.check_answer(ticket_id)
        key = self.portal.workbooks.answer(self.portal.lake, self.portal.registry(), ticket_id, self.actor, file)
        with file.open("rb") as opened:
            sha = file_digest(opened, "sha256").hexdigest()
        received = ReceivedFile(str(ULID()), key, file.stat().st_size, sha, (ticket_id,))
        contract = self.portal.registry().contract(self.ticket(ticket_id).dataset)
        UploadService(self.portal, self.actor).record(contract, received, file)
        return key

    def progress(self, ticket_id: str) -> AnswerProgress | None:
        """The progress of the newest answer."""
        ticket = self.portal.tickets.ticket(ticket_id, self.actor, self.portal.now())
        return answer_progress(self.portal, self.actor, ticket, self.events(ticket_id))

    def _mark(self, kind: str, dataset: str) -> None:
        """Mark rows under a request for readers of the data; on failure, the reminder run marks them."""
        contract, machine = self.portal.registry().contracts.get(dataset), self.portal.tickets.state_machine()
        if contract is None or kind in (*machine.machine_found, *machine.documents):
            return
        try:
            write_ticket_table(self.portal.lake, contract, self.portal.tickets, self.portal.now())
        except Exception as error:
            if not isinstance(error, ServiceUnavailable | CommitFailedError) and not is_unavailable(error):
                raise
            logger.warning("%s: requests are not marked yet: %s", dataset, str(error).split("\n")[0][:200])

    def _may_download_workbook(self, ticket: Ticket) -> bool:
        """Who works on the ticket gets a masked workbook; the department whose data it is, one with all values."""
        is_responsible = acts_for_department(self.actor) and self.actor.department == ticket.provider
        return rights.may(self.actor, Right.MEDIATE) or is_responsible or self._may_answer(ticket)

    def _may_answer(self, ticket: Ticket) -> bool:
        return rights.may_deliver(self.actor, ticket.owner)

    def _sample(
        self, ticket: Ticket, contract: Contract | None, ticket_deliveries: Sequence[TicketDelivery]
    ) -> tuple[Sample | None, str]:
        """Rows of the deliveries in force, newest first, and a note where they cannot be read."""
        newest = _newest_current(ticket_deliveries)
        if contract is None or not newest:
            return None, ""
        in_full = reads_as_sent(self.actor, ticket.owner)
        try:
            sample = failing_rows(self.portal.lake, contract, ticket.rule, newest, in_full)
        except Exception as error:
            if not isinstance(error, ServiceUnavailable) and not is_unavailable(error):
                raise
            logger.warning("%s: no sample for ticket %s: object store unavailable", ticket.dataset, ticket.id)
            return None, "对象存储暂时无响应，问题样例稍后再看"
        if sample is not None and sample.is_sensitive():
            self._note("view", ticket, sample.grade, f"办理工单 {ticket.id}")
        return sample, ""

    def _note(self, action: str, ticket: Ticket, grade: str, reason: str) -> None:
        access = Access(action, f"工单 {ticket.id}", ticket.dataset, grade, reason)
        self.portal.access.add(self.actor, access, self.portal.now())

    def _facts(self, step: Transition, stated: Mapping[str, str]) -> dict[str, Any]:
        """What the step requires, of what was filled in."""
        state_machine = self.portal.tickets.state_machine()
        filled = {name: stated.get(name, "").strip() for name in step.requires}
        missing = [state_machine.facts[name] for name, value in filled.items() if not value]
        if missing:
            raise InvalidForm(f"「{state_machine.events[step.event]}」须写明{'、'.join(missing)}")
        for name, value in filled.items():
            _check_length(name, state_machine.facts[name], value)
        for name in filled.keys() & set(NUMBERS):
            _check_number(state_machine.facts[name], filled[name])
        return {name: int(value) if name in NUMBERS else value for name, value in filled.items()}


def _newest_current(ticket_deliveries: Sequence[TicketDelivery]) -> list[str]:
    """Ids of the ticket's deliveries that are not superseded, newest first; all of them where each is superseded."""
    current = [s for s in ticket_deliveries if not s.replaced_by] or ticket_deliveries
    return [s.delivery for s in reversed(current)]


def _check_number(label: str, text: str) -> None:
    if not (text.isdecimal() and len(text) < 5):
        raise InvalidForm(f"{label}须是正整数")


def _check_length(name: str, label: str, text: str) -> None:
    """InvalidForm where a text is longer than its column."""
    most = MOST_OF.get(name, MOST_CHARS)
    if len(text) > most:
        raise InvalidForm(f"「{label}」有 {len(text):,} 个字，最多 {most:,} 个；请精简后再提交")
