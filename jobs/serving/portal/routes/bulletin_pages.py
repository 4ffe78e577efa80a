"""Pages of bulletins, and their files."""

from urllib.parse import quote

from fastapi import APIRouter
from starlette.responses import Response

from jobs.serving.portal.authentication import AnyPortal, LoggedIn
from jobs.serving.portal.middleware import REPORT_POLICY
from jobs.serving.portal.rendering import page
from jobs.serving.portal.services.bulletin_service import FORMS, LENGTHS, BulletinService

router = APIRouter(prefix="/bulletins", include_in_schema=False)
KINDS = {
    "pdf": "application/pdf",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "json": "application/json",
}


@router.get("")
def bulletins(portal: AnyPortal, user: LoggedIn) -> Response:
    """What was published, by length; drafts for the bureau."""
    shelf = BulletinService(portal, user.actor).shelf()
    return page("bulletins.html", portal, user, it=shelf, lengths=LENGTHS, forms=FORMS)


@router.get("/{path:path}")
def bulletin(path: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """One file, as a download."""
    data = BulletinService(portal, user.actor).file(path)
    name = quote(f"通报-{path.replace('/', '-')}")
    headers = {"Content-Security-Policy": REPORT_POLICY, "Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return Response(data, media_type=KINDS[path.rpartition(".")[2]], headers=headers)
