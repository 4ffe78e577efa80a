"""How far a department's answer to a ticket has come, from the received file to the result of the re-check."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select

from jobs.access import rights
from jobs.access.personal_numbers import masked_text
from jobs.access.roles import reads_as_sent
from jobs.collaboration.opening import FURTHER
from jobs.lake.database import utc
from jobs.model.actor import Actor
from jobs.model.delivery import JUDGED, STATE_WORDS, Delivery, State
from jobs.model.ticket import Event, Ticket
from jobs.serving.account_tables import UploadRow
from jobs.serving.portal.context import Portal
from jobs.serving.portal.labels import event as event_label
from jobs.serving.portal.labels import stated

ANSWER_STEPS = ("收下", "读取", "质检", "复核", "结果")
RECEIVED, READ, JUDGED_STEP = 1, 2, 3


@dataclass(frozen=True)
class AnswerProgress:
    """The newest answer to a ticket: the number of completed ANSWER_STEPS, and what is known of it so far."""

    done: int
    message: str
    file: str
    delivery: str
    first_look: tuple[str, ...] = ()

    def masked(self) -> "AnswerProgress":
        """Without numbers of persons, which names of files and columns may hold."""
        look = tuple(masked_text(line, is_free=False) for line in self.first_look)
        file, message = (masked_text(text, is_free=False) for text in (self.file, self.message))
        return replace(self, file=file, message=message, first_look=look)

    def is_over(self) -> bool:
        """Whether nothing more will change."""
        return self.done == len(ANSWER_STEPS)


def answer_progress(portal: Portal, actor: Actor, ticket: Ticket, events: Sequence[Event]) -> AnswerProgress | None:
    """The progress of the newest answer; None where there is none, or where the actor may not know of it."""
    if not rights.may_know(actor, ticket.owner):
        return None
    progress = _progress(portal, ticket, events)
    return progress if progress is None or reads_as_sent(actor, ticket.owner) else progress.masked()


def _progress(portal: Portal, ticket: Ticket, events: Sequence[Event]) -> AnswerProgress | None:
    upload = _newest_upload(portal, ticket)
    delivery = _newest_delivery(portal, ticket, upload)
    if upload is None and delivery is None:
        return None
    done, message = _state(delivery, ticket, events)
    named = delivery.names()[0] if delivery else ""
    if upload is None:
        return AnswerProgress(done, message, named, delivery.id if delivery else "")
    file, look = upload.key.rsplit("/", 1)[-1], tuple(upload.first_look.splitlines())
    return AnswerProgress(done, message, file, delivery.id if delivery else "", look)


def _newest_upload(portal: Portal, ticket: Ticket) -> UploadRow | None:
    of_ticket = select(UploadRow).where(UploadRow.dataset == ticket.dataset, UploadRow.answers.contains(ticket.id))
    with portal.tickets.database.session() as session:
        rows = session.scalars(of_ticket.order_by(UploadRow.id.desc())).all()
        session.expunge_all()
    return next((row for row in rows if ticket.id in row.answers.split()), None)


def _newest_delivery(portal: Portal, ticket: Ticket, upload: UploadRow | None) -> Delivery | None:
    """The newest registered answer; None where the uploaded file is newer and not registered yet."""
    answers = [d for d in portal.lake.ledger.deliveries(ticket.dataset) if ticket.id in d.answers]
    newest = max(answers, key=lambda delivery: delivery.seq, default=None)
    if upload is None or newest is None:
        return newest
    own = portal.lake.ledger.delivery_of(upload.key) or upload.delivery
    is_newer = newest.received_at >= utc(upload.at)
    return next((d for d in answers if d.id == own), newest if is_newer else None)


def _state(delivery: Delivery | None, ticket: Ticket, events: Sequence[Event]) -> tuple[int, str]:
    if delivery is None:
        return RECEIVED, "文件已收下，等待读取"
    result = _result(delivery, events)
    if result is not None:
        return len(ANSWER_STEPS), "；".join([event_label(result.event), *_found(result)])
    if delivery.state not in JUDGED:
        return (READ if delivery.state is State.LOADED else RECEIVED), STATE_WORDS[delivery.state]
    if ticket.closed_at is not None:
        return len(ANSWER_STEPS), ticket.label
    return JUDGED_STEP, "；".join(filter(None, (STATE_WORDS[delivery.state], delivery.reason, "等待复核")))


def _result(delivery: Delivery, events: Sequence[Event]) -> Event | None:
    """The newest result of the re-check; new failing rows of the answer itself are another event, and no result."""
    of_delivery = (e for e in reversed(events) if e.role == "machine" and e.facts.get("delivery") == delivery.id)
    return next((e for e in of_delivery if e.event != FURTHER), None)


def _found(result: Event) -> list[str]:
    """What the re-check found, without the delivery's id."""
    delivery = str(result.facts.get("delivery", ""))
    return [value for _, value in stated(result) if value != delivery]
