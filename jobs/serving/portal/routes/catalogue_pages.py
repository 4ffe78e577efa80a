"""Pages of the catalogue: all entries with their state, one entry with its versions, and the lists."""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from fastapi import APIRouter
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from jobs.access import rights
from jobs.access.policy import Right
from jobs.catalogue.attributes import CHOICES, TITLES, shown
from jobs.catalogue.licences import FILE
from jobs.catalogue.lists import CHANGES, KEY, LISTS
from jobs.contracts.importance import TITLES as LEVELS
from jobs.errors import LakeError
from jobs.reporting import figures
from jobs.serving.portal.authentication import AnyPortal, CurrentUser, LoggedIn, Posted
from jobs.serving.portal.context import Portal
from jobs.serving.portal.error_handlers import form_status
from jobs.serving.portal.rendering import page
from jobs.serving.portal.services.catalogue_service import CatalogueService

router = APIRouter(prefix="/catalogue", include_in_schema=False)


@router.get("")
def catalogue(portal: AnyPortal, user: LoggedIn) -> Response:
    """All entries with their state."""
    return catalogue_page(portal, user)


@router.get("/lists/{name}")
def list_(name: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """One list."""
    return _list_page(portal, user, name)


@router.post("/lists/{name}")
def draw_up(name: str, portal: AnyPortal, user: LoggedIn, _: Posted) -> Response:
    """Draw up the next version of a list."""
    try:
        ticket = CatalogueService(portal, user.actor).draw_up(name)
    except LakeError as error:
        return _list_page(portal, user, name, str(error), form_status(error))
    return RedirectResponse(f"/tickets/{ticket}", 303)


@router.get("/lists/{name}/{number}.{ending}")
def list_file(name: str, number: int, ending: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """A published version as a file."""
    found, content, media = CatalogueService(portal, user.actor).list_file(name, number, ending)
    title = quote(f"{found.kind.title}-第{number}版.{ending}")
    return Response(content, media_type=media, headers={"Content-Disposition": f"attachment; filename*=UTF-8''{title}"})


@router.get("/licence-samples/{file}")
def licence_sample(file: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """A sample file of a type of licence."""
    content, media = CatalogueService(portal, user.actor).sample(file)
    return Response(content, media_type=media, headers={"Content-Disposition": f'attachment; filename="{file}"'})


@router.get("/{dataset}")
def entry(dataset: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """One entry."""
    return _entry_page(portal, user, dataset)


@router.post("/{dataset}")
def propose(dataset: str, portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Propose a change, complete or not; a value that is unknown is named, with the entered values retained."""
    try:
        ticket = CatalogueService(portal, user.actor).propose(dataset, fields)
    except LakeError as error:
        return _entry_page(portal, user, dataset, Refused(fields, str(error), form_status(error)))
    return RedirectResponse(f"/tickets/{ticket}", 303)


@dataclass(frozen=True)
class Refused:
    """A form that was refused, with the entered values."""

    typed: Mapping[str, str]
    message: str
    status: int


def catalogue_page(portal: Portal, user: CurrentUser, message: str = "", status: int = 200) -> Response:
    """All entries with their state, and why a list was refused."""
    service = CatalogueService(portal, user.actor)
    covered, note = service.coverage()
    parts = {"lists": LISTS, "shown": shown, "covered": covered, "note": note, "percent": figures.percent}
    parts |= {"message": message, "may_import": rights.may(user.actor, Right.DELIVER)}
    return page("catalogue.html", portal, user, status, found=service.records(), **parts)


def _entry_page(portal: Portal, user: CurrentUser, dataset: str, refused: Refused | None = None) -> Response:
    view = CatalogueService(portal, user.actor).record(dataset)
    proposed = view.record.proposed()
    filled = {name: _text(getattr(proposed, name)) for name in TITLES} if proposed else {}
    answer = refused or Refused(filled, "", 200)
    parts = {"titles_of": TITLES, "choices": CHOICES, "shown": shown, "filled": answer.typed, "message": answer.message}
    parts["levels"] = LEVELS
    return page("catalogue_entry.html", portal, user, answer.status, it=view, **parts)


def _list_page(portal: Portal, user: CurrentUser, name: str, message: str = "", status: int = 200) -> Response:
    service = CatalogueService(portal, user.actor)
    found = service.list_versions(name)
    parts = {"may_draw_up": service.may_draw_up(), "kinds": CHANGES, "message": message}
    parts |= {"samples": service.sample_links(found), "file_column": FILE, "key_column": KEY}
    return page("catalogue_list.html", portal, user, status, it=found, **parts)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
