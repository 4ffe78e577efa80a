"""Pages from templates; those of the reports' tables and charts are shared, so that both look alike."""

from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from urllib.parse import urlencode

from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from jobs.access.roles import acts_for_department
from jobs.contracts.place import place
from jobs.reporting.pages import TEMPLATES as REPORT_TEMPLATES
from jobs.reporting.pages import Badge, Link, Links
from jobs.serving.portal import labels
from jobs.serving.portal.authentication import CurrentUser
from jobs.serving.portal.context import Portal
from jobs.serving.portal.services.ticket_service import TicketService

HERE = Path(__file__).parent
STATIC = HERE / "static"


def page(template: str, portal: Portal, user: CurrentUser | None, status: int = 200, **view: object) -> HTMLResponse:
    """The page for a user; None before anybody is logged in."""
    zone = portal.zone

    def moment(at: datetime | None) -> str:
        return labels.moment(at, zone)

    unread = labels.unread(portal, user.actor) if user else 0
    shared = {
        "user": user,
        "unread": unread,
        "waiting": TicketService(portal, user.actor).count_waiting() if user else 0,
        "moment": moment,
        "now": portal.now(),
        "zone": zone,
        "departments": departments(portal),
        "titles": titles(portal),
    }
    return HTMLResponse(_environment().get_template(template).render(**shared, **view), status)


def departments(portal: Portal) -> dict[str, str]:
    """Names of providers by id."""
    return {c.provider: c.department for c in portal.registry().sources()}


def titles(portal: Portal) -> dict[str, str]:
    """Names of datasets and products by id."""
    registry = portal.registry()
    return {c.id: c.title for c in (*registry.sources(), *registry.products())}


def address(path: str, fields: Mapping[str, object]) -> str:
    """A path with its non-empty fields as query."""
    query = {name: value for name, value in fields.items() if value not in ("", None, False)}
    return f"{path}?{urlencode(query)}" if query else path


@lru_cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader([HERE / "templates", REPORT_TEMPLATES]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.tests["link"] = lambda cell: isinstance(cell, Link)
    environment.tests["links"] = lambda cell: isinstance(cell, Links)
    environment.tests["badge"] = lambda cell: isinstance(cell, Badge)
    environment.globals.update(labels.FOR_TEMPLATES, address=address, acts_for_department=acts_for_department)
    environment.globals["bureau"] = place().bureau
    environment.globals["lake_name"] = f"{place().short_name}数据湖"
    environment.filters["count"] = labels.count
    environment.filters["score"] = labels.score
    return environment
