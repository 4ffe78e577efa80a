"""The page of grants: what is opened to whom, a form to give one, and a button to end one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from jobs.access.grants import InvalidGrant
from jobs.access.policy import access_policy
from jobs.errors import LakeError
from jobs.serving.inputs import MOST_PAGE
from jobs.serving.portal.authentication import AnyPortal, CurrentUser, LoggedIn, Posted
from jobs.serving.portal.context import Portal
from jobs.serving.portal.error_handlers import form_status
from jobs.serving.portal.rendering import page
from jobs.serving.portal.services.grant_page_service import GrantPageService, GrantQuery

router = APIRouter(prefix="/grants", include_in_schema=False)
SIZE = 50
USUAL_VIEW = "granted"
DONE = {"given": "已授权，即时生效", "ended": "已终止，即时生效"}


class GrantFilter(BaseModel):
    """What the list is narrowed to, as the address says it."""

    model_config = ConfigDict(extra="ignore")

    dataset: str = Field("", max_length=120)
    department: str = Field("", max_length=120)
    state: Literal["", "valid", "ended", "expired"] = ""
    side: Literal["", "given", "received"] = ""
    page: int = Field(1, ge=1, le=MOST_PAGE)
    done: str = Field("", max_length=20)

    def wanted(self) -> GrantQuery:
        """The same for the service."""
        return GrantQuery(self.dataset, self.department, self.state, self.side)


@dataclass(frozen=True)
class Refused:
    """A form that was refused: the entered values, what is wrong with which of them, and a message above."""

    status: int
    message: str
    typed: Mapping[str, str] = field(default_factory=dict)
    mistakes: Mapping[str, str] = field(default_factory=dict)


@router.get("")
def grants(portal: AnyPortal, user: LoggedIn, filters: Annotated[GrantFilter, Query()]) -> Response:
    """The grants that the user may see."""
    return _page(portal, user, filters)


@router.post("")
def give(portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """Give a grant; each mistake is named next to its field, with the entered values retained."""
    try:
        GrantPageService(portal, user.actor).give(fields)
    except InvalidGrant as error:
        message = f"没有授权：请改正下面标出的 {len(error.mistakes)} 处"
        return _page(portal, user, GrantFilter(), Refused(form_status(error), message, fields, error.mistakes))
    return RedirectResponse("/grants?done=given", 303)


@router.post("/{grant_id}/end")
def end(grant_id: int, portal: AnyPortal, user: LoggedIn, _: Posted) -> Response:
    """End a grant now."""
    try:
        GrantPageService(portal, user.actor).end(grant_id)
    except LakeError as error:
        return _page(portal, user, GrantFilter(), Refused(form_status(error), str(error)))
    return RedirectResponse("/grants?done=ended", 303)


def _page(portal: Portal, user: CurrentUser, filters: GrantFilter, refused: Refused | None = None) -> Response:
    service = GrantPageService(portal, user.actor)
    answer = refused or Refused(200, "")
    own = service.own_contracts()
    parts = {
        "found": service.page(filters.wanted(), filters.page, SIZE),
        "asked": filters,
        "filter": filters.model_dump(exclude={"page", "done"}),
        "own": own,
        "receivers": service.departments() if own else [],
        "views": access_policy().views,
        "typed": answer.typed or {"dataset": filters.dataset, "view": USUAL_VIEW},
        "message": answer.message,
        "mistakes": answer.mistakes,
        "said": DONE.get(filters.done, ""),
    }
    return page("grants.html", portal, user, answer.status, **parts)
