"""Out to the identity provider and back."""

import hmac

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from jobs.errors import SetupError, Unknown
from jobs.serving.oidc import FAILED, Oidc
from jobs.serving.portal.authentication import AnyPortal, ForgedRequest, cookie_of
from jobs.serving.portal.context import Portal
from jobs.serving.portal.routes.entrance import LOGIN_LASTS_S, end_cookie, set_cookie, welcome

router = APIRouter(prefix="/oidc", include_in_schema=False)
COOKIE = "lake_oidc"


@router.get("/start")
def start(portal: AnyPortal, next: str = "") -> Response:
    """Send the browser to the provider; it keeps the state, to prevent login CSRF."""
    url, state = _provider(portal).begin(next, portal.now())
    answer = RedirectResponse(url, 303)
    set_cookie(answer, portal, COOKIE, state, LOGIN_LASTS_S)
    return answer


@router.get("/callback")
def callback(request: Request, portal: AnyPortal, state: str = "", code: str = "", error: str = "") -> Response:
    """The browser comes back, with a code if the login was right."""
    provider, mine = _provider(portal), cookie_of(portal, request, COOKIE)
    if error or not code or not mine or not hmac.compare_digest(mine.encode(), state.encode()):
        raise ForgedRequest(FAILED)
    identity, target = provider.finish(state, code, portal.now())
    answer = welcome(request, portal, portal.accounts.recognised(identity, portal.now()), target)
    end_cookie(answer, portal, COOKIE)
    return answer


def _provider(portal: Portal) -> Oidc:
    if not portal.settings.oidc_issuer:
        raise Unknown("没有启用统一身份认证")
    base = portal.settings.portal_public_url or portal.settings.portal_url
    if not base:
        raise SetupError("LAKE_PORTAL_PUBLIC_URL must say to which address the identity provider sends people back")
    return Oidc(portal.settings, portal.tickets.database, f"{base.rstrip('/')}/oidc/callback")
