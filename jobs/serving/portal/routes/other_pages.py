"""Search, notices, the audit page and the help page."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from jobs.collaboration import Wanted
from jobs.errors import LakeError
from jobs.serving.inputs import PageNumber
from jobs.serving.portal.authentication import AnyPortal, LoggedIn, Posted
from jobs.serving.portal.error_handlers import form_status
from jobs.serving.portal.rendering import page
from jobs.serving.portal.services.data_desk import DataDesk
from jobs.serving.portal.services.oversight_desk import OversightDesk
from jobs.serving.portal.services.ticket_desk import TicketDesk

router = APIRouter(include_in_schema=False)
SIZE = 50


@router.get("/search")
def search(portal: AnyPortal, visitor: LoggedIn, q: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Tickets, datasets and deliveries that hold a word."""
    contracts, deliveries = DataDesk(portal, visitor.actor).search(q)
    found = TicketDesk(portal, visitor.actor).page(Wanted(text=q.strip(), size=20)) if q.strip() else None
    return page("search.html", portal, visitor, q=q, found=found, contracts=contracts, deliveries=deliveries)


@router.get("/notices")
def notices(portal: AnyPortal, visitor: LoggedIn) -> Response:
    """What the visitor's department was told."""
    return page("notices.html", portal, visitor, notices=OversightDesk(portal, visitor.actor).notices())


@router.post("/notices/{notice_id}/read")
def read(notice_id: int, portal: AnyPortal, visitor: LoggedIn, fields: Posted) -> Response:
    """Mark one as read."""
    OversightDesk(portal, visitor.actor).mark_read(notice_id)
    return RedirectResponse("/notices", 303)


@router.get("/audit")
def audit(
    portal: AnyPortal,
    visitor: LoggedIn,
    page_number: PageNumber = 1,
    department: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """Who was shown which sensitive data."""
    log = OversightDesk(portal, visitor.actor).log(page_number, SIZE, department)
    return page("audit.html", portal, visitor, log=log, department=department, outcomes=(), noted={}, message="")


@router.post("/audit")
def verify(portal: AnyPortal, visitor: LoggedIn, fields: Posted) -> Response:
    """Both chains, walked now; notes that were written down before may be compared."""
    desk = OversightDesk(portal, visitor.actor)
    shown = {"log": desk.log(1, SIZE, ""), "department": "", "noted": fields}
    try:
        events, readings = desk.verified(fields.get("noted", "")), desk.log_verified(fields.get("noted_access", ""))
    except LakeError as error:
        view = {"outcomes": (), "message": str(error)}
        return page("audit.html", portal, visitor, form_status(error), **shown, **view)
    outcomes = (("事件", events), ("访问记录", readings))
    return page("audit.html", portal, visitor, 200, **shown, outcomes=outcomes, message="")


@router.get("/help")
def help_page(portal: AnyPortal, visitor: LoggedIn) -> Response:
    """How the portal is used."""
    return page("help.html", portal, visitor)
