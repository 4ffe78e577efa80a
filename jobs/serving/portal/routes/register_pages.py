"""Pages of the registers: the plan, one register, one item with its card and rows."""

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter
from fastapi.responses import RedirectResponse, StreamingResponse
from starlette.responses import Response

from jobs.catalogue.registers import RegisterItem, registers
from jobs.errors import LakeError
from jobs.serving.portal.authentication import AnyPortal, CurrentUser, LoggedIn, Posted
from jobs.serving.portal.context import Portal
from jobs.serving.portal.error_handlers import form_status
from jobs.serving.portal.rendering import page
from jobs.serving.portal.services.register_service import USES, RegisterService

router = APIRouter(prefix="/registers", include_in_schema=False)
Filled = Mapping[str, str]


@dataclass(frozen=True)
class Refused:
    """A form that was refused, with the entered values."""

    typed: Filled
    message: str
    status: int


@router.get("")
def plan(portal: AnyPortal, user: LoggedIn) -> Response:
    """How far the plan is, and the registers."""
    service = RegisterService(portal, user.actor)
    return page("registers.html", portal, user, 200, plan=service.plan(), counts=service.counts(), policy=registers())


@router.get("/{register}")
def one_register(register: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """One register."""
    return _register_page(portal, user, register)


@router.post("/{register}")
def propose(register: str, portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Propose a new item, complete or not; what is unknown or wrong is listed, with the entered values retained."""
    try:
        ticket = RegisterService(portal, user.actor).propose(register, "", fields)
    except LakeError as error:
        return _register_page(portal, user, register, Refused(fields, str(error), form_status(error)))
    return RedirectResponse(f"/tickets/{ticket}", 303)


@router.get("/items/{item}")
def item(item: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """One item."""
    return _item_page(portal, user, item)


@router.post("/items/{item}")
def change(item: str, portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Propose a change of an item."""
    service = RegisterService(portal, user.actor)
    name = service.item(item).record.current().register_name
    try:
        ticket = service.propose(name, item, fields)
    except LakeError as error:
        return _item_page(portal, user, item, Refused(fields, str(error), form_status(error)))
    return RedirectResponse(f"/tickets/{ticket}", 303)


@router.get("/items/{item}/card.json")
def card(item: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """The Croissant card of a training set."""
    content = RegisterService(portal, user.actor).card(item)
    headers = {"Content-Disposition": f'attachment; filename="{item}.json"'}
    return Response(content, media_type="application/ld+json", headers=headers)


@router.get("/items/{item}/rows.jsonl")
def rows(item: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """The rows of a training set."""
    lines = RegisterService(portal, user.actor).json_lines(item)
    headers = {"Content-Disposition": f'attachment; filename="{item}.jsonl"'}
    return StreamingResponse(lines, media_type="application/jsonlines", headers=headers)


def _register_page(portal: Portal, user: CurrentUser, name: str, refused: Refused | None = None) -> Response:
    service = RegisterService(portal, user.actor)
    answer = refused or Refused({}, "", 200)
    parts = {
        "it": service.rows(name),
        "name": name,
        "contracts": service.contracts(),
        "may_propose": service.may_propose(),
        "typed": answer.typed,
        "message": answer.message,
        "uses": USES,
        "policy": registers(),
    }
    return page("register.html", portal, user, answer.status, **parts)


def _item_page(portal: Portal, user: CurrentUser, id_: str, refused: Refused | None = None) -> Response:
    service = RegisterService(portal, user.actor)
    view = service.item(id_)
    answer = refused or Refused(_filled(view.record.proposed()), "", 200)
    parts = {
        "it": view,
        "item": view.record.current(),
        "contracts": service.contracts(),
        "field_titles": service.field_titles(view.record.current()),
        "typed": answer.typed,
        "message": answer.message,
        "uses": USES,
        "policy": registers(),
    }
    return page("register_item.html", portal, user, answer.status, **parts)


def _filled(item: RegisterItem) -> Filled:
    """The values of an item's form."""
    chosen = item.selection
    rows = (
        {
            "rows_dataset": chosen.dataset,
            "rows_version": str(chosen.version),
            "rows_columns": ",".join(chosen.columns),
            "rows_condition": chosen.condition,
        }
        if chosen
        else {}
    )
    return {"title": item.title, "status": item.status, **item.facts, **{USES + n: "1" for n in item.datasets}, **rows}
