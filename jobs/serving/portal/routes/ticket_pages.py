"""Pages of tickets: what waits, the list, one ticket with its steps, comments and workbook."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal
from urllib.parse import quote

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from jobs.access import rights
from jobs.access.policy import Right
from jobs.catalogue.lists import CHANGES
from jobs.collaboration import TicketQuery, Tickets
from jobs.errors import LakeError
from jobs.model.ticket import Event, Request
from jobs.serving.inputs import MOST_PAGE, PageNumber
from jobs.serving.portal.authentication import AnyPortal, CurrentUser, InvalidForm, LoggedIn, Posted
from jobs.serving.portal.context import Portal
from jobs.serving.portal.error_handlers import form_status
from jobs.serving.portal.rendering import page
from jobs.serving.portal.routes.data_pages import newest_table
from jobs.serving.portal.services.answer_service import ANSWER_STEPS
from jobs.serving.portal.services.catalogue_service import CatalogueService
from jobs.serving.portal.services.home_service import MOST, HomeService, Signed
from jobs.serving.portal.services.ticket_service import TicketService, TicketView

router = APIRouter(include_in_schema=False)
SIZE = 25
SAID = {
    "step": "已办理，结果见下方「经过」",
    "comment": "已留言",
    "request": "校核申请已提交，时限开始计算",
    "answer": "整改包已收下，将作为重新报送处理，随后自动复核",
}
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


class TicketFilter(BaseModel):
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

    def wanted(self) -> TicketQuery:
        """The same for the service."""
        return TicketQuery(
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
def tasks(portal: AnyPortal, user: LoggedIn, page_number: PageNumber = 1) -> Response:
    """What waits for the user, and what the role looks after."""
    return _tasks(portal, user, page_number)


@router.post("/tasks/sign")
def sign(portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Sign for all marked tickets; what was refused is listed with its reason."""
    rights.check_right(user.actor, Right.DELIVER, "签收工单")
    return _tasks(portal, user, 1, HomeService(portal, user.actor).sign(fields))


@router.get("/tickets")
def tickets(portal: AnyPortal, user: LoggedIn, filters: Annotated[TicketFilter, Query()]) -> Response:
    """The list."""
    state_machine = Tickets.state_machine()
    tickets_page = TicketService(portal, user.actor).page(filters.wanted())
    return page(
        "tickets.html",
        portal,
        user,
        found=tickets_page,
        asked=filters,
        filter=filters.model_dump(exclude={"page"}),
        state_machine=state_machine,
        states=[(name, state.label) for name, state in state_machine.states.items()],
    )


@router.get("/tickets/{ticket_id}")
def ticket(ticket_id: str, portal: AnyPortal, user: LoggedIn, said: str = "") -> Response:
    """One ticket."""
    return ticket_page(portal, user, ticket_id, FormReply(said=SAID.get(said, "")))


@router.get("/tickets/{ticket_id}/state")
def state(ticket_id: str, portal: AnyPortal, user: LoggedIn) -> JSONResponse:
    """How far the newest answer has come, for the script."""
    progress = TicketService(portal, user.actor).progress(ticket_id)
    if progress is None:
        return JSONResponse({"done": 0, "message": "还没有整改数据", "is_over": True})
    return JSONResponse({"done": progress.done, "message": progress.message, "is_over": progress.is_over()})


@router.post("/tickets/{ticket_id}/steps/{event}")
def step(ticket_id: str, event: str, portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Take a step; a refusal is shown in its form, with the entered values retained."""
    seen = fields.get("seen", "")
    try:
        if not seen.isdecimal() or len(seen) > 9:
            raise InvalidForm("请从工单页面办理")
        TicketService(portal, user.actor).move(ticket_id, event, int(seen), fields)
    except LakeError as error:
        return ticket_page(portal, user, ticket_id, refused(error, event, fields))
    return _back(ticket_id, "step")


@router.post("/tickets/{ticket_id}/comments")
def comment(ticket_id: str, portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Add a comment."""
    try:
        TicketService(portal, user.actor).comment(ticket_id, fields.get("text", ""))
    except LakeError as error:
        return ticket_page(portal, user, ticket_id, refused(error, "comment", fields))
    return _back(ticket_id, "comment")


@router.get("/tickets/{ticket_id}/workbook")
def workbook(ticket_id: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """The workbook to fill in."""
    name, content = TicketService(portal, user.actor).workbook(ticket_id)
    return Response(content, media_type=XLSX, headers={"Content-Disposition": f"attachment; filename={quote(name)}"})


def _tasks(portal: Portal, user: CurrentUser, number: int, signed: Signed | None = None) -> Response:
    home, role = HomeService(portal, user.actor), user.actor.role
    tickets_page = TicketService(portal, user.actor).waiting(number, MOST)
    decisions = home.decisions() if role == "quality_officer" else ()
    return page(
        "tasks.html",
        portal,
        user,
        found=tickets_page,
        groups=home.groups(tickets_page),
        signed=signed,
        decisions=decisions,
        others=home.others(tickets_page, decisions),
        to_publish=home.to_publish() if role == "leader" else None,
        worst=home.worst() if role == "leader" else (),
        accesses=home.newest_accesses() if role == "auditor" else (),
        newest=newest_table(portal, user.actor) if role in ("analyst", "operator") else None,
        filter={},
    )


@router.get("/requests/new")
def request_page(portal: AnyPortal, user: LoggedIn, dataset: str = "") -> Response:
    """The form with which a department asks another to check a record."""
    rights.check_right(user.actor, Right.REQUEST_CORRECTION, "提交校核申请")
    return _request_page(portal, user, {"dataset": dataset}, "", 200)


@router.post("/requests")
def request(portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """A correction request becomes a ticket, whose clock starts now."""
    contract = portal.registry().contracts.get(fields.get("dataset", ""))
    submission = Request(
        kind="correction",
        dataset=fields.get("dataset", ""),
        provider=contract.provider if contract else "",
        requester=user.actor.department,
        field=fields.get("field", ""),
        record=fields.get("record", ""),
        message=fields.get("message", ""),
        evidence=fields.get("evidence", ""),
    )
    try:
        ticket_id = TicketService(portal, user.actor).request(submission)
    except LakeError as error:
        return _request_page(portal, user, fields, str(error), form_status(error))
    return _back(ticket_id, "request")


def _request_page(portal: Portal, user: CurrentUser, fields: object, message: str, status: int) -> Response:
    others = [c for c in portal.registry().sources() if c.provider != user.actor.department]
    return page("request.html", portal, user, status, contracts=others, fields=fields, message=message)


@dataclass(frozen=True)
class FormReply:
    """What a ticket's page says of a form that was sent; `typed` are its values, to be shown again."""

    status: int = 200
    message: str = ""
    said: str = ""
    form: str = ""
    typed: Mapping[str, str] = field(default_factory=dict)


def refused(error: LakeError, form: str, typed: Mapping[str, str]) -> FormReply:
    """The error's message for the form; raises errors that cannot be corrected there, such as a missing right."""
    return FormReply(form_status(error), str(error), "", form, typed)


def ticket_page(portal: Portal, user: CurrentUser, ticket_id: str, reply: FormReply) -> Response:
    """The page of a ticket as it is now, with the reply."""
    view = TicketService(portal, user.actor).view(ticket_id)
    is_ended = Tickets.state_machine().states[view.ticket.state].end
    decided = {s.ground for s in Tickets.state_machine().steps if s.ground and s.is_of(view.ticket.kind)}
    return page(
        "ticket.html",
        portal,
        user,
        reply.status,
        it=view,
        state_machine=Tickets.state_machine(),
        grounds={name: label for name, label in Tickets.state_machine().grounds.items() if name in decided},
        reply=reply,
        answer_steps=ANSWER_STEPS,
        claim=_claim(view),
        is_document=view.ticket.kind in Tickets.state_machine().documents,
        altered=CatalogueService(portal, user.actor).changes(view.ticket),
        lacking=CatalogueService(portal, user.actor).shortcomings(view.ticket),
        change_kinds=CHANGES,
        said=""
        if is_ended and reply.said == SAID["answer"]
        else reply.said,  # the page stays open while the lake goes on
    )


def _claim(view: TicketView) -> Event | None:
    """What a decision that waits is about: the event that brought the ticket into its state, if it states reasons."""
    waits = any(step.requires for step in view.steps)
    entered = [e for e in view.events if e.target == view.ticket.state and e.source != e.target]
    return entered[-1] if waits and entered and entered[-1].role != "machine" and entered[-1].facts else None


def _back(ticket_id: str, said: str) -> RedirectResponse:
    return RedirectResponse(f"/tickets/{ticket_id}?said={said}", 303)
