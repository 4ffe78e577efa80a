"""The page of SQL: ask, download, save, and tokens for other tools."""

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from jobs.errors import LakeError, NotAllowed, UserError
from jobs.serving.portal.authentication import AnyPortal, CurrentUser, LoggedIn, Posted
from jobs.serving.portal.context import Portal
from jobs.serving.portal.error_handlers import form_status
from jobs.serving.portal.rendering import page
from jobs.serving.portal.services.query_service import FIELD, QueryService, parameters_of
from jobs.serving.sql.service import LargeQuery

router = APIRouter(prefix="/sql", include_in_schema=False)


@router.get("")
def form(portal: AnyPortal, user: LoggedIn, saved: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0) -> Response:
    """The form, with a saved query."""
    fields: dict[str, str] = {}
    if saved:
        query = _service(portal, user).saved().get(saved)
        fields = {"sql": query.sql, "title": query.title if query.is_own else ""}
    return _page(portal, user, fields)


@router.post("")
def ask(portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """The answer, below the form."""
    try:
        shown = _service(portal, user).shown(fields)
    except NotAllowed:
        raise
    except UserError as error:
        return _page(portal, user, fields, form_status(error), message=str(error), asks=isinstance(error, LargeQuery))
    return _page(portal, user, fields, shown=shown)


@router.post("/file")
def file(portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """The answer as a file."""
    try:
        data, kind, name = _service(portal, user).file(fields)
    except NotAllowed:
        raise
    except UserError as error:
        return _page(portal, user, fields, form_status(error), message=str(error), asks=isinstance(error, LargeQuery))
    return Response(data, media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})


@router.post("/saved")
def save(portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Save the form's query."""
    saved = _service(portal, user).saved()
    try:
        kept = saved.add(fields.get("title", ""), fields.get("sql", ""), bool(fields.get("shared")), portal.now())
    except LakeError as error:
        return _page(portal, user, fields, form_status(error), message=str(error))
    return RedirectResponse(f"/sql?saved={kept.id}", 303)


@router.post("/saved/{saved_id}/remove")
def remove(saved_id: int, portal: AnyPortal, user: LoggedIn, _: Posted) -> Response:
    """Remove a query of one's own."""
    _service(portal, user).saved().remove(saved_id)
    return RedirectResponse("/sql", 303)


@router.post("/tokens")
def add_token(portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """A new token; it is shown on this page only."""
    return _page(portal, user, {}, new_token=_service(portal, user).add_token(fields.get("note", "")))


@router.post("/tokens/{token_id}/end")
def end_token(token_id: str, portal: AnyPortal, user: LoggedIn, _: Posted) -> Response:
    """End a token of one's own at once."""
    _service(portal, user).end_token(token_id)
    return RedirectResponse("/sql", 303)


def _service(portal: Portal, user: CurrentUser) -> QueryService:
    return QueryService(portal, user.actor, user.account)


def _page(portal: Portal, user: CurrentUser, fields: Mapping[str, str], status: int = 200, **view: object) -> Response:
    service = _service(portal, user)
    parts = {"message": "", "shown": None, "new_token": "", "asks": bool(fields.get("large")), **view}
    names = parameters_of(fields.get("sql", ""))
    return page(
        "sql.html",
        portal,
        user,
        status,
        fields=fields,
        parameters={FIELD + name: name for name in names},
        tables=service.tables(),
        saved=service.saved().all(),
        tokens=service.tokens(),
        sql_url=portal.settings.sql_url,
        flight_url=portal.settings.flight_url(),
        **parts,
    )
