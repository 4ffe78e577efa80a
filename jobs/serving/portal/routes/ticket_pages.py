"""Pages of tickets: what waits, the list, one ticket with its steps, comments and pack."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from jobs.collaboration import Request, Tickets, Wanted
from jobs.errors import LakeError
from jobs.serving.inputs import MOST_PAGE, PageNumber
from jobs.serving.portal import rights
from jobs.serving.portal.authentication import AnyPortal, BadForm, LoggedIn, Posted, Visitor
from jobs.serving.portal.context import Portal
from jobs.serving.portal.error_handlers import form_status
from jobs.serving.portal.rendering import page
from jobs.serving.portal.services.ticket_desk import TicketDesk

router = APIRouter(include_in_schema=False)
SIZE = 25
SAID = {
    "step": "已办理，结果见下方「经过」",
    "comment": "已留言",
    "request": "校核申请已提交，时限开始计算",
    "answer": "整改包已收下，将作为重新报送处理，随后自动复核",
}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class Filter(BaseModel):
    """What the list is narrowed to, as the address says it."""

    model_config = ConfigDict(extra="ignore")

    q: str = Field("", max_length=100)
    state: str = Field("", max_length=20)
    kind: str = Field("", max_length=20)
    severity: str = Field("", max_length=20)
    department: str = Field("", max_length=120)
    dataset: str = Field("", max_length=120)
    show: Literal["open", "overdue", "mine", "all"] = "open"
    order: Literal["due", "newest"] = "due"
    page: int = Field(1, ge=1, le=MOST_PAGE)

    def wanted(self) -> Wanted:
        """The same for the desk."""
        return Wanted(
            states=(self.state,) if self.state else (),
            kind=self.kind,
            provider=self.department,
            dataset=self.dataset,
            text=self.q.strip(),
            is_open=self.show == "open" and not self.state,
            is_overdue=self.show == "overdue",
            is_mine=self.show == "mine",
            severity=self.severity,
            order=self.order,
            page=self.page,
            size=SIZE,
        )


@router.get("/tasks")
def tasks(portal: AnyPortal, visitor: LoggedIn, page_number: PageNumber = 1) -> Response:
    """What waits for the visitor."""
    found = TicketDesk(portal, visitor.actor).waiting(page_number, SIZE)
    return page("tasks.html", portal, visitor, found=found, filter={})


@router.get("/tickets")
def tickets(portal: AnyPortal, visitor: LoggedIn, asked: Annotated[Filter, Query()]) -> Response:
    """The list."""
    machine = Tickets.machine()
    found = TicketDesk(portal, visitor.actor).page(asked.wanted())
    return page(
        "tickets.html",
        portal,
        visitor,
        found=found,
        asked=asked,
        filter=asked.model_dump(exclude={"page"}),
        machine=machine,
        states=[(name, state.label) for name, state in machine.states.items()],
    )


@router.get("/tickets/{ticket_id}")
def ticket(ticket_id: str, portal: AnyPortal, visitor: LoggedIn, said: str = "") -> Response:
    """One ticket."""
    return ticket_page(portal, visitor, ticket_id, Reply(said=SAID.get(said, "")))


@router.post("/tickets/{ticket_id}/steps/{event}")
def step(ticket_id: str, event: str, portal: AnyPortal, visitor: LoggedIn, fields: Posted) -> Response:
    """Take a step; why it was not taken is told in its form, where what was typed still stands."""
    seen = fields.get("seen", "")
    try:
        if not seen.isdecimal() or len(seen) > 9:
            raise BadForm("请从工单页面办理")
        TicketDesk(portal, visitor.actor).move(ticket_id, event, int(seen), fields)
    except LakeError as error:
        return ticket_page(portal, visitor, ticket_id, refused(error, event, fields))
    return _back(ticket_id, "step")


@router.post("/tickets/{ticket_id}/comments")
def comment(ticket_id: str, portal: AnyPortal, visitor: LoggedIn, fields: Posted) -> Response:
    """Say something."""
    try:
        TicketDesk(portal, visitor.actor).comment(ticket_id, fields.get("text", ""))
    except LakeError as error:
        return ticket_page(portal, visitor, ticket_id, refused(error, "comment", fields))
    return _back(ticket_id, "comment")


@router.get("/tickets/{ticket_id}/pack")
def pack(ticket_id: str, portal: AnyPortal, visitor: LoggedIn) -> Response:
    """The workbook to fill in."""
    name, made = TicketDesk(portal, visitor.actor).pack(ticket_id)
    return Response(made, media_type=XLSX, headers={"Content-Disposition": f"attachment; filename={quote(name)}"})


@router.get("/requests/new")
def request_page(portal: AnyPortal, visitor: LoggedIn, dataset: str = "") -> Response:
    """The form with which a department asks another to check a record."""
    rights.check_role(visitor.actor, rights.REQUESTERS, "提交校核申请")
    return _request_page(portal, visitor, {"dataset": dataset}, "", 200)


@router.post("/requests")
def request(portal: AnyPortal, visitor: LoggedIn, fields: Posted) -> Response:
    """A correction request becomes a ticket, whose clock starts now."""
    found = portal.catalogue().contracts.get(fields.get("dataset", ""))
    asked = Request(
        kind="correction",
        dataset=fields.get("dataset", ""),
        provider=found.provider if found else "",
        requester=visitor.actor.department,
        field=fields.get("field", ""),
        record=fields.get("record", ""),
        message=fields.get("message", ""),
        evidence=fields.get("evidence", ""),
    )
    try:
        made = TicketDesk(portal, visitor.actor).request(asked)
    except LakeError as error:
        return _request_page(portal, visitor, fields, str(error), form_status(error))
    return _back(made, "request")


def _request_page(portal: Portal, visitor: Visitor, fields: object, message: str, status: int) -> Response:
    others = [c for c in portal.catalogue().sources() if c.provider != visitor.actor.department]
    return page("request.html", portal, visitor, status, contracts=others, fields=fields, message=message)


@dataclass(frozen=True)
class Reply:
    """What a ticket's page says of a form that was sent; `typed` is what stood in it, so that nobody types it twice."""

    status: int = 200
    message: str = ""
    said: str = ""
    form: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


def refused(error: LakeError, form: str, typed: Mapping[str, str]) -> Reply:
    """The error in words, to be shown in the form; raises what cannot be mended there, such as a missing right."""
    return Reply(form_status(error), str(error), "", form, typed)


def ticket_page(portal: Portal, visitor: Visitor, ticket_id: str, reply: Reply) -> Response:
    """The page of a ticket as it is now, with the reply."""
    view = TicketDesk(portal, visitor.actor).view(ticket_id)
    is_ended = Tickets.machine().states[view.ticket.state].end
    decided = {s.ground for s in Tickets.machine().steps if s.ground and s.is_of(view.ticket.kind)}
    return page(
        "ticket.html",
        portal,
        visitor,
        reply.status,
        it=view,
        machine=Tickets.machine(),
        grounds={name: label for name, label in Tickets.machine().grounds.items() if name in decided},
        reply=reply,
        said=""
        if is_ended and reply.said == SAID["answer"]
        else reply.said,  # the page stays open while the lake goes on
    )


def _back(ticket_id: str, said: str) -> RedirectResponse:
    return RedirectResponse(f"/tickets/{ticket_id}?said={said}", 303)
