"""The lists behind the numbers of the loop."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from jobs.serving.inputs import MOST_PAGE
from jobs.serving.portal.authentication import AnyPortal, CurrentUser, LoggedIn
from jobs.serving.portal.context import Portal
from jobs.serving.portal.rendering import page
from jobs.serving.portal.services.loop_service import CITY, FigureQuery, LoopService

router = APIRouter(include_in_schema=False)
SIZE = 25
MONTH = r"^(\d{4}-\d\d)?$"
MonthName = Annotated[str, Query(max_length=7, pattern=MONTH)]


class FigureParams(BaseModel):
    """Which number's tickets are asked for, as the address says it; `cut` says as of which event and moment."""

    model_config = ConfigDict(extra="ignore")

    of: str = Field("closing", max_length=40)
    month: str = Field("", max_length=7, pattern=MONTH)
    cut: str = Field("", max_length=40, pattern=r"^(\d+\.\d+)?$")
    page: int = Field(1, ge=1, le=MOST_PAGE)


@router.get("/overview/loop")
def of_city(portal: AnyPortal, user: LoggedIn, which: Annotated[FigureParams, Query()]) -> Response:
    """Tickets behind one number of the city."""
    return _listed(portal, user, CITY, which)


@router.get("/departments/{provider}/loop")
def of_department(
    provider: str, portal: AnyPortal, user: LoggedIn, which: Annotated[FigureParams, Query()]
) -> Response:
    """Tickets behind one number of a department."""
    return _listed(portal, user, provider, which)


def _listed(portal: Portal, user: CurrentUser, provider: str, which: FigureParams) -> Response:
    query = FigureQuery(which.of, which.month, which.cut, which.page, SIZE)
    tickets_page = LoopService(portal, user.actor).listed(provider, query)
    path = f"/departments/{provider}/loop" if provider else "/overview/loop"
    fields = {"of": which.of, "month": tickets_page.month.period.name, "cut": tickets_page.month.mark()}
    return page("loop.html", portal, user, it=tickets_page, path=path, asked=fields, provider=provider)
