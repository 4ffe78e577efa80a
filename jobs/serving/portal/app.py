"""The application: routes, errors, static files, and the security middleware around them."""

from fastapi import FastAPI
from fastapi.responses import FileResponse, JSONResponse
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from jobs.reporting.pages import TEMPLATES as REPORT_TEMPLATES
from jobs.serving.portal import error_handlers
from jobs.serving.portal.context import Portal
from jobs.serving.portal.middleware import SecurityMiddleware
from jobs.serving.portal.rendering import STATIC
from jobs.serving.portal.routes import ROUTERS

ABOUT = """所有接口与页面受同样的权限约束：登录后的会话 Cookie 即身份；改动数据的请求须带 `X-CSRF-Token`（见 `/api/me`）。"""


def create_app(portal: Portal) -> FastAPI:
    """The application of one portal, without the security middleware."""
    app = FastAPI(
        title="城市数据湖门户接口",
        version="1",
        description=ABOUT,
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
        redirect_slashes=False,  # such a redirect would repeat the request's Host header
    )
    app.state.portal = portal
    error_handlers.add_to(app)
    app.add_api_route("/healthz", healthz, include_in_schema=False)
    app.add_api_route("/static/report.css", report_styles, include_in_schema=False)
    app.mount("/static", StaticFiles(directory=STATIC), name="static")
    for router in ROUTERS:
        app.include_router(router)
    return app


def guarded(portal: Portal) -> ASGIApp:
    """The application as it is served."""
    return SecurityMiddleware(create_app(portal), portal)


def report_styles() -> FileResponse:
    """The styles of the reports, which pages share."""
    return FileResponse(REPORT_TEMPLATES / "report.css", media_type="text/css")


def healthz() -> JSONResponse:
    """That the portal answers."""
    return JSONResponse({"status": "ok"})
