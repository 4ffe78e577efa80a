"""Pages for uploads: the form, its progress, and the progress as JSON for scripts."""

from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from jobs.errors import LakeError
from jobs.model.delivery import STATE_WORDS
from jobs.serving.portal.authentication import AnyPortal, CurrentUser, LoggedIn
from jobs.serving.portal.context import Portal
from jobs.serving.portal.error_handlers import form_status
from jobs.serving.portal.multipart import ENDINGS
from jobs.serving.portal.rendering import page
from jobs.serving.portal.routes.ticket_pages import refused, ticket_page
from jobs.serving.portal.services.ticket_service import TicketService
from jobs.serving.portal.services.upload_service import STEPS, Progress, UploadService
from jobs.serving.portal.uploads import received, received_file

router = APIRouter(include_in_schema=False)


@router.get("/uploads")
def uploads(portal: AnyPortal, user: LoggedIn) -> Response:
    """Uploads of the department."""
    return page("uploads.html", portal, user, uploads=UploadService(portal, user.actor).uploads())


@router.get("/uploads/new")
def form(portal: AnyPortal, user: LoggedIn, dataset: str = "", answers: str = "", supersedes: str = "") -> Response:
    """The form; an address may fill in what it is about."""
    return _form(portal, user, {"dataset": dataset, "answers": answers, "supersedes": supersedes}, "", 200)


@router.post("/uploads")
async def upload(request: Request, portal: AnyPortal, user: LoggedIn) -> Response:
    """Receive a file as a stream; a refusal is shown in the form, with the entered values retained."""
    fields: dict[str, str] = {}
    try:
        uploaded = await received(request, user, fields)
    except LakeError as error:
        return await run_in_threadpool(_form, portal, user, fields, str(error), form_status(error))
    return RedirectResponse(f"/uploads/{uploaded.id}", 303)


@router.get("/uploads/{upload_id}")
def one(upload_id: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """Progress of an upload; polled by a script, or by page reload without scripts."""
    service = UploadService(portal, user.actor)
    uploaded = service.upload(upload_id)
    return page("progress.html", portal, user, one=uploaded, progress=service.progress(uploaded), steps=STEPS)


@router.get("/uploads/{upload_id}/state")
def state(upload_id: str, portal: AnyPortal, user: LoggedIn) -> JSONResponse:
    """The same for the script."""
    service = UploadService(portal, user.actor)
    return JSONResponse(progress_view(service.progress(service.upload(upload_id))))


@router.post("/tickets/{ticket_id}/answer")
async def answer(ticket_id: str, request: Request, portal: AnyPortal, user: LoggedIn) -> Response:
    """A filled workbook, or a corrected file, as a redelivery that names the ticket."""
    service = TicketService(portal, user.actor)
    await run_in_threadpool(service.check_answer, ticket_id)
    try:
        async with received_file(request, user) as file:
            await run_in_threadpool(service.answer, ticket_id, file)
    except LakeError as error:
        return await run_in_threadpool(ticket_page, portal, user, ticket_id, refused(error, "answer", {}))
    return RedirectResponse(f"/tickets/{ticket_id}?said=answer", 303)


def _form(portal: Portal, user: CurrentUser, said: Mapping[str, str], message: str, status: int) -> Response:
    service, limit = UploadService(portal, user.actor), portal.settings.portal_upload_mib
    view = {"contracts": service.datasets(), "limit": limit, "endings": ENDINGS, "said": said, "message": message}
    view |= {"offers": service.offers()}
    return page("upload.html", portal, user, status, **view)


def progress_view(progress: Progress) -> dict[str, object]:
    """Progress as JSON."""
    return {
        "done": progress.done,
        "steps": len(STEPS),
        "state": progress.state,
        "label": STATE_WORDS[progress.state] if progress.state else "",
        "message": progress.message,
        "is_over": progress.is_over(),
        "report": f"/reports/{progress.report}" if progress.report else "",
    }
