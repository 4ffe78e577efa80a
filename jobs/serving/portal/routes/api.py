"""The portal for programs: the same services as the pages, in JSON."""

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query

from jobs.collaboration import LoopMetrics
from jobs.model.ticket import Request, Ticket
from jobs.serving.inputs import PageNumber
from jobs.serving.portal.authentication import AnyPortal, LoggedIn, Sent
from jobs.serving.portal.routes import api_models as m
from jobs.serving.portal.routes.loop_pages import MonthName
from jobs.serving.portal.routes.ticket_pages import TicketFilter
from jobs.serving.portal.services.data_service import DataService
from jobs.serving.portal.services.loop_service import LoopService
from jobs.serving.portal.services.oversight_service import OversightService
from jobs.serving.portal.services.ticket_service import TicketService

FAULTS: dict[int | str, dict[str, Any]] = {
    400: {"model": m.Problem, "description": "不能办理"},
    401: {"model": m.Problem, "description": "未登录"},
    403: {"model": m.Problem, "description": "无权"},
    404: {"model": m.Problem, "description": "没有，或不属于您的部门"},
    409: {"model": m.Problem, "description": "已有他人先办理，或工单的状态不能这样办理"},
    411: {"description": "未注明长度"},
    413: {"description": "过长"},
    503: {"model": m.Problem, "description": "有一项服务暂时无响应"},
}
router = APIRouter(prefix="/api", responses=FAULTS)
Id = Annotated[str, Path(max_length=120, pattern=r"^[\w.-]+$")]
SIZE = 50


@router.get("/me", tags=["账号"])
def me(user: LoggedIn) -> m.Me:
    """Who is logged in."""
    account = user.account
    return m.Me(
        name=account.name, person=account.person, role=account.role, department=account.department, csrf=user.csrf
    )


@router.get("/tasks", tags=["工单"])
def tasks(portal: AnyPortal, user: LoggedIn, page: PageNumber = 1) -> m.TicketList:
    """What waits for the reader, due soonest first."""
    tickets_page = TicketService(portal, user.actor).waiting(page, SIZE)
    return m.TicketList(
        tickets=list(tickets_page.tickets), total=tickets_page.total, page=tickets_page.page, size=tickets_page.size
    )


@router.get("/tickets", tags=["工单"])
def tickets(portal: AnyPortal, user: LoggedIn, filters: Annotated[TicketFilter, Query()]) -> m.TicketList:
    """Tickets that the reader may see."""
    tickets_page = TicketService(portal, user.actor).page(filters.wanted())
    return m.TicketList(
        tickets=list(tickets_page.tickets), total=tickets_page.total, page=tickets_page.page, size=tickets_page.size
    )


@router.get("/tickets/{ticket_id}", tags=["工单"])
def ticket(ticket_id: Id, portal: AnyPortal, user: LoggedIn) -> m.TicketOut:
    """One ticket, with the steps that the reader may take."""
    return m.TicketOut.of(TicketService(portal, user.actor).view(ticket_id, with_rows=False))


@router.get("/tickets/{ticket_id}/events", tags=["工单"])
def events(ticket_id: Id, portal: AnyPortal, user: LoggedIn) -> list[m.EventOut]:
    """What happened, oldest first."""
    return [m.EventOut.of(happened) for happened in TicketService(portal, user.actor).events(ticket_id)]


@router.post("/tickets/{ticket_id}/steps/{event}", tags=["工单"])
def step(ticket_id: Id, event: Id, portal: AnyPortal, user: Sent, body: m.StepIn) -> Ticket:
    """Take a step; the ticket afterwards."""
    return TicketService(portal, user.actor).move(ticket_id, event, body.seen, body.facts)


@router.post("/tickets/{ticket_id}/comments", tags=["工单"])
def comment(ticket_id: Id, portal: AnyPortal, user: Sent, body: m.CommentIn) -> m.EventOut:
    """Say something."""
    return m.EventOut.of(TicketService(portal, user.actor).comment(ticket_id, body.text))


@router.post("/requests", tags=["工单"])
def request(portal: AnyPortal, user: Sent, body: m.RequestIn) -> dict[str, str]:
    """Ask another department to check a record; the id of the ticket."""
    contract = portal.registry().contracts.get(body.dataset)
    submission = Request(
        kind="correction",
        provider=contract.provider if contract else "",
        requester=user.actor.department,
        **body.model_dump(),
    )
    return {"ticket": TicketService(portal, user.actor).request(submission)}


@router.get("/datasets", tags=["数据"])
def datasets(portal: AnyPortal, user: LoggedIn) -> list[m.DatasetOut]:
    """The catalogue."""
    return [m.DatasetOut.of(contract) for contract in DataService(portal, user.actor).contracts()]


@router.get("/datasets/{dataset}", tags=["数据"])
def dataset(dataset: Id, portal: AnyPortal, user: LoggedIn) -> m.DatasetDetail:
    """One dataset: its contract, its rules, its newest deliveries."""
    view = DataService(portal, user.actor).dataset(dataset, with_rows=False)
    names = m.FieldOut.model_fields
    return m.DatasetDetail(
        dataset=m.DatasetOut.of(view.contract),
        fields=[m.FieldOut(**{name: getattr(f, name) for name in names}) for f in view.contract.fields],
        rules=[m.RuleOut.of(rule) for rule in view.rules],
        deliveries=None if view.entries is None else [m.DeliveryOut.of(entry) for entry in view.entries],
    )


@router.get("/deliveries", tags=["数据"])
def deliveries(portal: AnyPortal, user: LoggedIn) -> list[m.DeliveryOut]:
    """Newest deliveries that the reader may know of."""
    return [m.DeliveryOut.of(entry) for entry in DataService(portal, user.actor).deliveries()]


@router.get("/deliveries/{delivery_id}", tags=["数据"])
def delivery(delivery_id: Id, portal: AnyPortal, user: LoggedIn) -> m.DeliveryOut:
    """One delivery."""
    return m.DeliveryOut.of(DataService(portal, user.actor).delivery(delivery_id))


@router.get("/departments/{provider}", tags=["全市"])
def department(provider: Id, portal: AnyPortal, user: LoggedIn) -> m.DepartmentOut:
    """One department's numbers."""
    view = DataService(portal, user.actor).department(provider)
    tally = view.tally
    numbers = {"open": tally.open, "overdue": tally.overdue, "closed": tally.closed}
    return m.DepartmentOut(provider=view.provider, name=view.name, score=view.score, **numbers)


@router.get("/departments/{provider}/loop", tags=["全市"])
def loop(provider: Id, portal: AnyPortal, user: LoggedIn, month: MonthName = "") -> LoopMetrics:
    """A department's loop in a month, each number with the tickets that it counts."""
    return LoopService(portal, user.actor).metrics(provider, month)


@router.get("/overview", tags=["全市"])
def overview(portal: AnyPortal, user: LoggedIn) -> m.OverviewOut:
    """The city, for the bureau's roles."""
    return m.OverviewOut.of(DataService(portal, user.actor).overview())


@router.get("/notices", tags=["账号"])
def notices(portal: AnyPortal, user: LoggedIn) -> list[m.NoticeOut]:
    """Notices of the reader's department."""
    return [m.NoticeOut(**notice.__dict__) for notice in OversightService(portal, user.actor).notices()]


@router.get("/access-log", tags=["审计"])
def access_log(portal: AnyPortal, user: LoggedIn, page: PageNumber = 1) -> list[m.AccessOut]:
    """Who was shown which sensitive data, newest first; for auditors."""
    log = OversightService(portal, user.actor).log(page, SIZE, "")
    names = ("id", "at", "name", "role", "department")
    return [m.AccessOut(**{n: getattr(row, n) for n in names}, **row.access.__dict__) for row in log.rows]


@router.post("/audit", tags=["审计"])
def audit(portal: AnyPortal, user: Sent, body: m.NotedIn) -> m.AuditOut:
    """The chain of events, or of the access log, walked now; for auditors."""
    service = OversightService(portal, user.actor)
    walk = service.log_verified if body.chain == "access" else service.verified
    return m.AuditOut(**walk(body.noted).__dict__)
