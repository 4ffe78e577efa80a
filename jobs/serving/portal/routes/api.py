"""The portal for programs: the same desks as the pages, in JSON."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from jobs.collaboration import LoopMetrics, Request, Ticket
from jobs.serving.inputs import PageNumber
from jobs.serving.portal.authentication import AnyPortal, LoggedIn, Sent
from jobs.serving.portal.routes import api_models as m
from jobs.serving.portal.routes.loop_pages import MonthName
from jobs.serving.portal.routes.ticket_pages import Filter
from jobs.serving.portal.services.data_desk import DataDesk
from jobs.serving.portal.services.loop_desk import LoopDesk
from jobs.serving.portal.services.oversight_desk import OversightDesk
from jobs.serving.portal.services.ticket_desk import TicketDesk

FAULTS: dict[int | str, dict[str, Any]] = {
    400: {"model": m.Fault, "description": "不能办理"},
    401: {"model": m.Fault, "description": "未登录"},
    403: {"model": m.Fault, "description": "无权"},
    404: {"model": m.Fault, "description": "没有，或不属于您的部门"},
    409: {"model": m.Fault, "description": "已有他人先办理，或工单的状态不能这样办理"},
    411: {"description": "未注明长度"},
    413: {"description": "过长"},
    503: {"model": m.Fault, "description": "有一项服务暂时无响应"},
}
router = APIRouter(prefix="/api", responses=FAULTS)
Id = Annotated[str, Path(max_length=120, pattern=r"^[\w.-]+$")]
SIZE = 50


@router.get("/me", tags=["账号"])
def me(visitor: LoggedIn) -> m.Me:
    """Who is logged in."""
    one = visitor.account
    return m.Me(name=one.name, person=one.person, role=one.role, department=one.department, csrf=visitor.csrf)


@router.get("/tasks", tags=["工单"])
def tasks(portal: AnyPortal, visitor: LoggedIn, page: PageNumber = 1) -> m.TicketList:
    """What waits for the reader, due soonest first."""
    found = TicketDesk(portal, visitor.actor).waiting(page, SIZE)
    return m.TicketList(tickets=list(found.tickets), total=found.total, page=found.page, size=found.size)


@router.get("/tickets", tags=["工单"])
def tickets(portal: AnyPortal, visitor: LoggedIn, asked: Annotated[Filter, Query()]) -> m.TicketList:
    """Tickets that the reader may see."""
    found = TicketDesk(portal, visitor.actor).page(asked.wanted())
    return m.TicketList(tickets=list(found.tickets), total=found.total, page=found.page, size=found.size)


@router.get("/tickets/{ticket_id}", tags=["工单"])
def ticket(ticket_id: Id, portal: AnyPortal, visitor: LoggedIn) -> m.TicketOut:
    """One ticket, with the steps that the reader may take."""
    return m.TicketOut.of(TicketDesk(portal, visitor.actor).view(ticket_id, with_rows=False))


@router.get("/tickets/{ticket_id}/events", tags=["工单"])
def events(ticket_id: Id, portal: AnyPortal, visitor: LoggedIn) -> list[m.EventOut]:
    """What happened, oldest first."""
    return [m.EventOut.of(one) for one in TicketDesk(portal, visitor.actor).events(ticket_id)]


@router.post("/tickets/{ticket_id}/steps/{event}", tags=["工单"])
def step(ticket_id: Id, event: Id, portal: AnyPortal, visitor: Sent, given: m.StepIn) -> Ticket:
    """Take a step; the ticket afterwards."""
    return TicketDesk(portal, visitor.actor).move(ticket_id, event, given.seen, given.facts)


@router.post("/tickets/{ticket_id}/comments", tags=["工单"])
def comment(ticket_id: Id, portal: AnyPortal, visitor: Sent, given: m.CommentIn) -> m.EventOut:
    """Say something."""
    return m.EventOut.of(TicketDesk(portal, visitor.actor).comment(ticket_id, given.text))


@router.post("/requests", tags=["工单"])
def request(portal: AnyPortal, visitor: Sent, given: m.RequestIn) -> dict[str, str]:
    """Ask another department to check a record; the id of the ticket."""
    contract = portal.catalogue().contracts.get(given.dataset)
    asked = Request(
        kind="correction",
        provider=contract.provider if contract else "",
        requester=visitor.actor.department,
        **given.model_dump(),
    )
    return {"ticket": TicketDesk(portal, visitor.actor).request(asked)}


@router.get("/datasets", tags=["数据"])
def datasets(portal: AnyPortal, visitor: LoggedIn) -> list[m.DatasetOut]:
    """The catalogue."""
    return [m.DatasetOut.of(one) for one in DataDesk(portal, visitor.actor).contracts()]


@router.get("/datasets/{dataset}", tags=["数据"])
def dataset(dataset: Id, portal: AnyPortal, visitor: LoggedIn) -> m.DatasetDetail:
    """One dataset: its contract, its rules, its newest deliveries."""
    view = DataDesk(portal, visitor.actor).dataset(dataset, with_rows=False)
    names = m.FieldOut.model_fields
    return m.DatasetDetail(
        dataset=m.DatasetOut.of(view.contract),
        fields=[m.FieldOut(**{name: getattr(f, name) for name in names}) for f in view.contract.fields],
        rules=[m.RuleOut.of(rule) for rule in view.rules],
        deliveries=None if view.entries is None else [m.DeliveryOut.of(one) for one in view.entries],
    )


@router.get("/deliveries", tags=["数据"])
def deliveries(portal: AnyPortal, visitor: LoggedIn) -> list[m.DeliveryOut]:
    """Newest deliveries that the reader may know of."""
    return [m.DeliveryOut.of(one) for one in DataDesk(portal, visitor.actor).deliveries()]


@router.get("/deliveries/{delivery_id}", tags=["数据"])
def delivery(delivery_id: Id, portal: AnyPortal, visitor: LoggedIn) -> m.DeliveryOut:
    """One delivery."""
    return m.DeliveryOut.of(DataDesk(portal, visitor.actor).delivery(delivery_id))


@router.get("/departments/{provider}", tags=["全市"])
def department(provider: Id, portal: AnyPortal, visitor: LoggedIn) -> m.DepartmentOut:
    """One department's numbers."""
    view = DataDesk(portal, visitor.actor).department(provider)
    tally = view.tally
    numbers = {"open": tally.open, "overdue": tally.overdue, "closed": tally.closed}
    return m.DepartmentOut(provider=view.provider, name=view.name, score=view.score, **numbers)


@router.get("/departments/{provider}/loop", tags=["全市"])
def loop(provider: Id, portal: AnyPortal, visitor: LoggedIn, month: MonthName = "") -> LoopMetrics:
    """A department's loop in a month, each number with the tickets that it counts."""
    return LoopDesk(portal, visitor.actor).metrics(provider, month)


@router.get("/overview", tags=["全市"])
def overview(portal: AnyPortal, visitor: LoggedIn) -> m.OverviewOut:
    """The city, for the bureau's roles."""
    return m.OverviewOut.of(DataDesk(portal, visitor.actor).overview())


@router.get("/notices", tags=["账号"])
def notices(portal: AnyPortal, visitor: LoggedIn) -> list[m.NoticeOut]:
    """What the reader's department was told."""
    return [m.NoticeOut(**one.__dict__) for one in OversightDesk(portal, visitor.actor).notices()]


@router.get("/access-log", tags=["审计"])
def access_log(portal: AnyPortal, visitor: LoggedIn, page: PageNumber = 1) -> list[m.AccessOut]:
    """Who was shown which sensitive data, newest first; for auditors."""
    log = OversightDesk(portal, visitor.actor).log(page, SIZE, "")
    names = ("id", "at", "name", "role", "department")
    return [m.AccessOut(**{n: getattr(one, n) for n in names}, **one.access.__dict__) for one in log.rows]


@router.post("/audit", tags=["审计"])
def audit(portal: AnyPortal, visitor: Sent, given: m.NotedIn) -> m.AuditOut:
    """The chain of events, or of the access log, walked now; for auditors."""
    desk = OversightDesk(portal, visitor.actor)
    walk = desk.log_verified if given.chain == "access" else desk.verified
    return m.AuditOut(**walk(given.noted).__dict__)
