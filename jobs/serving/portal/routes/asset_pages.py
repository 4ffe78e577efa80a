"""The page of the ledger of data assets."""

from fastapi import APIRouter
from starlette.responses import Response

from jobs.catalogue.assets import GIB, estimate, valuation
from jobs.serving.asset_ledger import Sources, asset_ledger
from jobs.serving.portal.authentication import AnyPortal, LoggedIn
from jobs.serving.portal.rendering import page

router = APIRouter(include_in_schema=False)


@router.get("/assets")
def assets(portal: AnyPortal, user: LoggedIn) -> Response:
    """All assets with their estimated value, and the rule of the estimate."""
    deliveries = portal.overview.get().entries
    found = asset_ledger(Sources(portal.lake, portal.registry(), portal.tickets, deliveries), portal.now())
    rows = [(one, estimate(one, valuation())) for one in found.assets]
    total = sum(made.value() for _, made in rows)
    view = {"rows": rows, "measured": found.measured, "rule": valuation(), "total": total, "mib": GIB // 1024}
    return page("assets.html", portal, user, 200, **view)
