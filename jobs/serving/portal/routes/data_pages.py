"""Pages of datasets, deliveries, departments, the city and reports."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import RedirectResponse
from starlette.responses import Response

from jobs.collaboration import TicketQuery
from jobs.model.actor import Actor
from jobs.reporting import figures
from jobs.reporting.delivery.advice import period
from jobs.reporting.entries import Entry, Punctuality
from jobs.reporting.pages import Badge, Cell, Link, Links, Table, table
from jobs.serving.portal import labels
from jobs.serving.portal.authentication import AnyPortal, LoggedIn
from jobs.serving.portal.context import Portal
from jobs.serving.portal.county_map import legend
from jobs.serving.portal.middleware import REPORT_POLICY
from jobs.serving.portal.rendering import page
from jobs.serving.portal.routes.loop_pages import MonthName
from jobs.serving.portal.services.data_service import DataService
from jobs.serving.portal.services.dataset_search import find_datasets
from jobs.serving.portal.services.grant_page_service import GrantPageService
from jobs.serving.portal.services.loop_service import LoopService
from jobs.serving.portal.services.ticket_service import TicketService

router = APIRouter(include_in_schema=False)
NEWEST = 10
KINDS = {
    "html": "text/html; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}


@router.get("/datasets")
def datasets(portal: AnyPortal, user: LoggedIn, q: Annotated[str, Query(max_length=100)] = "") -> Response:
    """The catalogue: all datasets, or those that fit the words."""
    known = DataService(portal, user.actor).contracts()
    found = find_datasets(portal, known, q) if q.strip() else [(contract, ()) for contract in known]
    return page("datasets.html", portal, user, found=found, q=q.strip())


@router.get("/datasets/{dataset}")
def dataset(dataset: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """One dataset."""
    view = DataService(portal, user.actor).dataset(dataset)
    tickets_page = TicketService(portal, user.actor).page(
        TicketQuery(dataset=dataset, is_open=True, order="due", size=5)
    )
    tables = {"entries": entry_table(view.entries or (), portal), "answers": answer_table(view.answers, portal)}
    parts = {"frequency": period(view.contract.sla.get("frequency", ""))}
    granted = GrantPageService(portal, user.actor).valid(dataset)
    return page("dataset.html", portal, user, 200, it=view, found=tickets_page, granted=granted, **parts, **tables)


@router.get("/datasets/{dataset}/contract.yaml")
def contract_file(dataset: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """The dataset's contract as a plain ODCS document."""
    text = DataService(portal, user.actor).contract_document(dataset)
    headers = {"Content-Disposition": f'attachment; filename="{dataset}.odcs.yaml"'}
    return Response(text, media_type="application/yaml", headers=headers)


@router.get("/deliveries/{delivery_id}")
def delivery(delivery_id: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """One delivery."""
    return page("delivery_view.html", portal, user, it=DataService(portal, user.actor).delivery(delivery_id))


@router.get("/departments/{provider}")
def department(provider: str, portal: AnyPortal, user: LoggedIn, month: MonthName = "") -> Response:
    """One department, with its loop in a month."""
    view = DataService(portal, user.actor).department(provider)
    query = TicketQuery(provider=provider, is_open=True, order="due", size=10)
    tickets_page = TicketService(portal, user.actor).page(query)
    progress, times = LoopService(portal, user.actor).department(provider, month), time_table(view.times, portal)
    return page("department.html", portal, user, it=view, found=tickets_page, times=times, progress=progress)


@router.get("/overview")
def overview(portal: AnyPortal, user: LoggedIn, month: MonthName = "") -> Response:
    """The city, with its loop in a month."""
    service = DataService(portal, user.actor)
    view = service.overview()
    late = TicketService(portal, user.actor).page(TicketQuery(is_overdue=True, order="due", size=10))
    times = time_table(view.late, portal, with_department=True)
    progress = LoopService(portal, user.actor).city(month)
    parts = {"late": late, "times": times, "legend": legend(), "progress": progress}
    return page("overview.html", portal, user, 200, it=view, **parts)


@router.get("/reports")
def reports(portal: AnyPortal, user: LoggedIn) -> Response:
    """Newest reports that the user may read."""
    entries, answers = DataService(portal, user.actor).reported()
    tables = {"entries": entry_table(entries, portal, with_department=True), "answers": answer_table(answers, portal)}
    return page("reports.html", portal, user, 200, **tables)


@router.get("/reports/{path:path}")
def report(path: str, portal: AnyPortal, user: LoggedIn) -> Response:
    """A report as it was written; its scripts do not run here."""
    if path.endswith("/") or not path:
        return RedirectResponse("/reports", 303)
    data = DataService(portal, user.actor).report(path)
    ending = path.rpartition(".")[2]
    headers = {"Content-Security-Policy": REPORT_POLICY}
    if ending != "html":
        headers["Content-Disposition"] = "attachment"
    return Response(data, media_type=KINDS[ending], headers=headers)


def entry_table(entries: Sequence[Entry], portal: Portal, with_department: bool = False) -> Table:
    """Deliveries with their verdicts, in the order given."""
    rows: list[tuple[Cell, ...]] = []
    for entry in entries:
        verdict, delivery = entry.read(), entry.delivery
        base = f"/reports/{delivery.provider}/{delivery.dataset}/{delivery.id}"
        row: tuple[Cell, ...] = (
            Link(delivery.id, f"/deliveries/{delivery.id}"),
            labels.moment(delivery.received_at, portal.zone),
            labels.delivery_state(entry.state()),
            figures.score(entry.scores.total),
            figures.count(verdict.rows if verdict else None),
            figures.count(verdict.failed_rows if verdict else None),
            Link("查看报告", f"{base}.html") if entry.has_report else figures.NONE,
        )
        rows.append((entry.department, entry.title, *row) if with_department else row)
    head = ("批次", "收到时间", "状态", "总分", "检查行数", "未通过", "报告")
    if with_department:
        return table("新的在前", ("部门", "数据集", *head), rows, (5, 6, 7))
    return table("新的在前", head, rows, (3, 4, 5))


def newest_table(portal: Portal, actor: Actor) -> Table:
    """The newest deliveries of all departments."""
    return entry_table(DataService(portal, actor).deliveries()[:NEWEST], portal, with_department=True)


def answer_table(answered: Sequence[Entry], portal: Portal) -> Table:
    """Answers to tickets, in the order given; they count as no delivery."""
    rows: list[tuple[Cell, ...]] = []
    for entry in answered:
        verdict, delivery = entry.read(), entry.delivery
        base = f"/reports/{delivery.provider}/{delivery.dataset}/{delivery.id}"
        rows.append(
            (
                entry.title,
                Links(tuple(Link(ticket, f"/tickets/{ticket}") for ticket in delivery.answers)),
                Link(delivery.id, f"/deliveries/{delivery.id}"),
                labels.moment(delivery.received_at, portal.zone),
                labels.delivery_state(entry.state()),
                figures.count(verdict.rows if verdict else None),
                figures.count(verdict.failed_rows if verdict else None),
                Link("查看报告", f"{base}.html") if entry.has_report else figures.NONE,
            )
        )
    head = ("数据集", "回应的工单", "批次", "收到时间", "状态", "检查行数", "未通过", "报告")
    return table("回应工单的整改数据，不计入报送批次、得分和报送时间", head, rows, (5, 6))


def time_table(times: Sequence[Punctuality], portal: Portal, with_department: bool = False) -> Table:
    """Datasets with their last delivery and whether the next one is late."""
    rows: list[tuple[Cell, ...]] = []
    for punctuality in times:
        last = punctuality.last
        row: tuple[Cell, ...] = (
            Link(punctuality.contract.title, f"/datasets/{punctuality.contract.id}"),
            labels.delivery_state(last.state()) if last else "尚未报送",
            labels.moment(last.delivery.received_at if last else None, portal.zone),
            figures.score(last.scores.total if last else None),
            Badge("已逾期", "✕", "bad") if punctuality.is_late else labels.moment(punctuality.due_at, portal.zone),
        )
        rows.append((punctuality.contract.department, *row) if with_department else row)
    head = ("数据集", "最近一批", "收到时间", "总分", "下一批最迟")
    if with_department:
        return table("按约定周期和允许延迟计算", ("部门", *head), rows, (4,))
    return table("按约定周期和允许延迟计算", head, rows, (3,))
