"""Pages of streams: their state kept up to date, curves of devices, and alarms."""

import json
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from jobs.serving.portal import labels
from jobs.serving.portal.authentication import AnyPortal, LoggedIn, Posted
from jobs.serving.portal.context import Portal
from jobs.serving.portal.feeds import Feed
from jobs.serving.portal.rendering import page
from jobs.serving.portal.services.feed_service import CurveQuery, FeedService
from jobs.streams.alarms import ALARM_WORDS, CHANGE_WORDS

router = APIRouter(include_in_schema=False)
AGAIN_MS = 3000
"""After so long a browser asks for the state again."""
MOST_ID = (1 << 53) - 1
DONE = {"acknowledge": "已确认报警", "clear": "已解除报警"}
AlarmId = Annotated[int, Path(ge=1, le=MOST_ID)]


class CurveParams(BaseModel):
    """What is drawn, as the address says it."""

    model_config = ConfigDict(extra="ignore")

    device: str = Field("", max_length=200)
    field: str = Field("", max_length=120)
    hours: int = Field(6, ge=1, le=168)


@router.get("/feeds")
def feeds(portal: AnyPortal, user: LoggedIn, done: str = "") -> Response:
    """All streams, and the alarms that are open."""
    service = FeedService(portal, user.actor)
    found = service.feeds()
    alarms = [(alarm, service.may_handle(alarm)) for feed in found.feeds for alarm in feed.alarms]
    cells = {feed.dataset: _cells(portal, feed) for feed in found.feeds}
    said = DONE.get(done, "")
    return page("feeds.html", portal, user, it=found, cells=cells, alarms=alarms, words=ALARM_WORDS, said=said)


@router.get("/feeds/events")
def events(portal: AnyPortal, user: LoggedIn) -> Response:
    """The state of all streams as one server-sent event; the browser comes again by itself."""
    found = FeedService(portal, user.actor).feeds()
    state = {feed.dataset: _cells(portal, feed) for feed in found.feeds}
    text = f"retry: {AGAIN_MS}\ndata: {json.dumps(state, ensure_ascii=False)}\n\n"
    return Response(text, media_type="text/event-stream")


@router.get("/feeds/{dataset}")
def feed(dataset: str, portal: AnyPortal, user: LoggedIn, asked: Annotated[CurveParams, Query()]) -> Response:
    """One stream."""
    view = FeedService(portal, user.actor).feed(dataset)
    cells, words = _cells(portal, view.feed), {"states": ALARM_WORDS, "changes": CHANGE_WORDS}
    return page("feed.html", portal, user, it=view, cells=cells, words=words, asked=asked)


@router.get("/feeds/{dataset}/curve")
def curve(dataset: str, portal: AnyPortal, user: LoggedIn, asked: Annotated[CurveParams, Query()]) -> JSONResponse:
    """A device's field, for the script that draws it."""
    query = CurveQuery(asked.device, asked.field, asked.hours)
    return JSONResponse(FeedService(portal, user.actor).curve(dataset, query))


@router.post("/alarms/{alarm_id}/acknowledge")
def acknowledge(alarm_id: AlarmId, portal: AnyPortal, user: LoggedIn, _: Posted) -> Response:
    """The authority has seen it."""
    FeedService(portal, user.actor).acknowledge(alarm_id)
    return RedirectResponse("/feeds?done=acknowledge", 303)


@router.post("/alarms/{alarm_id}/clear")
def clear(alarm_id: AlarmId, portal: AnyPortal, user: LoggedIn, fields: Posted) -> Response:
    """The authority ends it, with a reason."""
    FeedService(portal, user.actor).clear(alarm_id, fields.get("reason", ""))
    return RedirectResponse("/feeds?done=clear", 303)


def _cells(portal: Portal, feed: Feed) -> dict[str, str]:
    """What changes in the row of a stream."""
    known, last = feed.figures, feed.last_event()
    return {
        "last": f"{last.astimezone(portal.zone):%m-%d %H:%M:%S}" if last else "—",
        "lag": labels.count(known.lag) if known else "—",
        "batch": f"{labels.count(known.rows)} 条 / {known.seconds:.1f} 秒" if known else "—",
        "rejected": labels.count(known.rejected) if known else "—",
        "open_hours": labels.count(feed.open_hours),
        "coverage": f"{feed.coverage_pct:.1f}%" if feed.coverage_pct is not None else "—",
        "alarms": labels.count(len(feed.alarms)),
    }
