"""Pages of the keys with which devices send readings."""

from fastapi import APIRouter
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from jobs.serving.portal.authentication import AnyPortal, CurrentUser, LoggedIn, Posted
from jobs.serving.portal.context import Portal
from jobs.serving.portal.rendering import page
from jobs.serving.portal.services.key_service import KeyService, NewKey

router = APIRouter(prefix="/keys", include_in_schema=False)


@router.get("")
def keys(portal: AnyPortal, user: LoggedIn) -> Response:
    """All keys."""
    return _page(portal, user)


@router.post("")
def add(portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """A new key; its secret is on this page alone."""
    return _page(portal, user, KeyService(portal, user.actor).add(fields.get("provider", ""), fields.get("note", "")))


@router.post("/{key_id}/rotate")
def rotate(key_id: str, portal: AnyPortal, user: LoggedIn, _: Posted) -> Response:
    """A new key in place of another."""
    return _page(portal, user, KeyService(portal, user.actor).rotate(key_id))


@router.post("/{key_id}/end")
def end(key_id: str, portal: AnyPortal, user: LoggedIn, _: Posted) -> Response:
    """End a key at once."""
    KeyService(portal, user.actor).end(key_id)
    return RedirectResponse("/keys", 303)


def _page(portal: Portal, user: CurrentUser, new: NewKey | None = None) -> Response:
    service = KeyService(portal, user.actor)
    return page("keys.html", portal, user, found=service.all(), providers=service.providers(), new=new)
