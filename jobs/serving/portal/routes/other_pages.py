"""Search, notices, the audit page and the help page."""

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from jobs.collaboration import TicketQuery
from jobs.errors import LakeError
from jobs.serving.inputs import PageNumber
from jobs.serving.portal.authentication import AnyPortal, LoggedIn, Posted
from jobs.serving.portal.error_handlers import form_status
from jobs.serving.portal.rendering import page
from jobs.serving.portal.services.data_service import DataService
from jobs.serving.portal.services.oversight_service import OversightService
from jobs.serving.portal.services.ticket_service import TicketService

router = APIRouter(include_in_schema=False)
SIZE = 50


@router.get("/search")
def search(portal: AnyPortal, user: LoggedIn, q: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Tickets, datasets and deliveries that hold a word."""
    contracts, deliveries = DataService(portal, user.actor).search(q)
    tickets_page = TicketService(portal, user.actor).page(TicketQuery(text=q.strip(), size=20)) if q.strip() else None
    return page("search.html", portal, user, q=q, found=tickets_page, contracts=contracts, deliveries=deliveries)


@router.get("/notices")
def notices(portal: AnyPortal, user: LoggedIn) -> Response:
    """Notices of the user's department."""
    return page("notices.html", portal, user, notices=OversightService(portal, user.actor).notices())


@router.post("/notices/read")
def read_all(portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Mark all of the own department's as read."""
    OversightService(portal, user.actor).mark_all_read()
    return RedirectResponse("/notices", 303)


@router.post("/notices/{notice_id}/read")
def read(notice_id: int, portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Mark one as read."""
    OversightService(portal, user.actor).mark_read(notice_id)
    return RedirectResponse("/notices", 303)


@router.get("/audit")
def audit(
    portal: AnyPortal,
    user: LoggedIn,
    page_number: PageNumber = 1,
    department: Annotated[str, Query(max_length=120)] = "",
) -> Response:
    """Who was shown which sensitive data."""
    log = OversightService(portal, user.actor).log(page_number, SIZE, department)
    return page("audit.html", portal, user, log=log, department=department, outcomes=(), noted={}, message="")


@router.post("/audit")
def verify(portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Both chains, walked now; notes that were written down before may be compared."""
    service = OversightService(portal, user.actor)
    context = {"log": service.log(1, SIZE, ""), "department": "", "noted": fields}
    try:
        events, readings = (
            service.verified(fields.get("noted", "")),
            service.log_verified(fields.get("noted_access", "")),
        )
    except LakeError as error:
        view = {"outcomes": (), "message": str(error)}
        return page("audit.html", portal, user, form_status(error), **context, **view)
    outcomes = (("事件", events), ("访问记录", readings))
    return page("audit.html", portal, user, 200, **context, outcomes=outcomes, message="")


@router.get("/help")
def help_page(portal: AnyPortal, user: LoggedIn) -> Response:
    """How the portal is used."""
    return page("help.html", portal, user)
