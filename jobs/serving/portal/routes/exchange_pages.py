"""Pages of lists from files: a department's own list, and the exchange of the catalogue with the province."""

from collections.abc import Sequence
from urllib.parse import quote

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from jobs.catalogue.province.result import COUNTED
from jobs.errors import LakeError
from jobs.pipeline.catalogue import Imported
from jobs.serving.portal.authentication import AnyPortal, CurrentUser, LoggedIn, Posted
from jobs.serving.portal.context import Portal
from jobs.serving.portal.error_handlers import form_status
from jobs.serving.portal.rendering import page
from jobs.serving.portal.routes.catalogue_pages import catalogue_page
from jobs.serving.portal.services.exchange_service import EXTRACTS, ExchangeService
from jobs.serving.portal.uploads import received_file

router = APIRouter(prefix="/catalogue", include_in_schema=False)
SHOWN = 200
"""Rows of a table on the page; files have all."""
CHOSEN = "adopt-"


@router.post("")
async def import_list(request: Request, portal: AnyPortal, user: LoggedIn) -> Response:
    """A department's own list as drafts; what came of each row is the answer."""
    service = ExchangeService(portal, user.actor)
    await run_in_threadpool(service.check_import)
    try:
        async with received_file(request, user) as file:
            matching, outcomes = await run_in_threadpool(service.import_list, file)
    except LakeError as error:
        return await run_in_threadpool(catalogue_page, portal, user, str(error), form_status(error))
    return page("catalogue_import.html", portal, user, 200, matching=matching, outcomes=outcomes)


@router.get("/exchange")
def exchange(portal: AnyPortal, user: LoggedIn) -> Response:
    """The province's form to download, the upload of its side, and earlier results."""
    return _exchange(portal, user)


@router.post("/exchange")
async def reconcile(request: Request, portal: AnyPortal, user: LoggedIn) -> Response:
    """Compare the province's file; the result is stored and shown."""
    service = ExchangeService(portal, user.actor)
    await run_in_threadpool(service.check_reconcile)
    try:
        async with received_file(request, user) as file:
            run = await run_in_threadpool(service.reconcile, file)
    except LakeError as error:
        return await run_in_threadpool(_exchange, portal, user, str(error), form_status(error))
    return RedirectResponse(f"/catalogue/exchange/{run}", 303)


@router.get("/exchange/form.{ending}")
def form_file(ending: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """The published entries in the province's form."""
    content, media = ExchangeService(portal, user.actor).form_file(ending)
    return _download(content, media, f"目录-{portal.now().astimezone(portal.zone):%Y-%m-%d}.{ending}")


@router.get("/exchange/{run}")
def result(run: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """A result."""
    return _result(portal, user, run)


@router.get("/exchange/{run}/result.{ending}")
def result_file(run: str, ending: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """A result as a file."""
    content, media = ExchangeService(portal, user.actor).run_file(run, ending)
    return _download(content, media, f"目录比对-{run}.{ending}")


@router.post("/exchange/{run}")
def adopt(run: str, portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Draft the chosen codes of the department's entries."""
    chosen = [name.removeprefix(CHOSEN) for name in fields if name.startswith(CHOSEN)]
    return _result(portal, user, run, ExchangeService(portal, user.actor).adopt(run, chosen))


def _exchange(portal: Portal, user: CurrentUser, message: str = "", status: int = 200) -> Response:
    service = ExchangeService(portal, user.actor)
    runs, note = service.runs()
    parts = {"runs": runs, "note": note, "message": message, "counted": COUNTED, "endings": EXTRACTS}
    return page("exchange.html", portal, user, status, may_reconcile=service.may_reconcile(), **parts)


def _result(portal: Portal, user: CurrentUser, run: str, adopted: Sequence[Imported] = ()) -> Response:
    service = ExchangeService(portal, user.actor)
    parts = {"run": run, "counted": COUNTED, "most": SHOWN, "adopted": adopted, "chosen": CHOSEN}
    return page("exchange_result.html", portal, user, 200, it=service.run(run), may_adopt=service.may_import(), **parts)


def _download(content: bytes, media: str, name: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name)}"
    return Response(content, media_type=media, headers={"Content-Disposition": disposition})
