"""Rows under open tickets: `marked.<dataset>` by Spark and by the SQL service, and the table of open tickets."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.ticket import Request
from jobs.pipeline.maintenance import remind
from jobs.pipeline.query import ask
from jobs.pipeline.ticket_store import open_tickets
from jobs.pipeline.tickets import TicketChanges
from jobs.serving.sql.service import SqlService
from tests.spark.test_loop import DIRTY, OFFICER, OTHER, OWNER, registry, take, ticket

__all__ = ["registry", "take"]


def test_rows_under_an_open_ticket_are_marked_for_readers(lake: Lake, take: Callable[..., TicketChanges]) -> None:
    first = take("甲,2026-01-01 08:00:00,39,40", "乙,2026-01-01 08:00:00,60,40").delivery
    one = ticket(lake, "supply_above_return")
    query = "SELECT station, tickets FROM marked.station ORDER BY station"
    under = {row["station"]: list(row["tickets"] or []) for row in ask(lake, query).collect()}
    assert under == {"甲": [one.id], "乙": []}
    take("甲,2026-01-01 08:00:00,50,40", "乙,2026-01-01 08:00:00,60,40", supersedes=first)
    assert [row["tickets"] for row in ask(lake, query).collect()] == [None, None]
    forget_names(lake)


def test_records_under_a_request_or_an_objection_are_marked_like_rows_under_an_issue(
    lake: Lake, registry: Registry, take: Callable[..., TicketChanges]
) -> None:
    take("甲,2026-01-01 08:00:00,39,40", "乙,2026-01-01 08:00:00,60,40", "丙,2026-01-01 08:00:00,60,40")
    issue, now = ticket(lake, "supply_above_return"), datetime.now(UTC)
    asked = Request(
        "correction", "station", "heat", "water", "temp_c", "甲， 2026-01-01 08:00:00", "读数偏低", "现场测量"
    )
    with open_tickets(lake) as tickets:
        both = tickets.requested(asked, replace(OTHER, role="approver"), now)
        citizen = replace(asked, kind="objection", record="乙,2026-01-01 08:00:00", requester="")
        alone = tickets.requested(citizen, OFFICER, now)
        whole = tickets.requested(replace(asked, record="丙"), replace(OTHER, role="approver"), now)
        tickets.requested(replace(asked, record="丁,2026-01-01 08:00:00"), replace(OTHER, role="approver"), now)
    assert marks(lake, registry) == {"甲": {issue.id}, "乙": set(), "丙": set()}, (
        "requests are shown from the next delivery or reminder on"
    )
    remind(lake, registry)
    assert marks(lake, registry) == {"甲": {issue.id, both}, "乙": {alone}, "丙": {whole}}
    with open_tickets(lake) as tickets:
        seen = tickets.ticket(alone, OFFICER, now).version
        tickets.move(alone, "refuse", OFFICER, seen, now, reason="不属于本平台")
    remind(lake, registry)
    assert marks(lake, registry) == {"甲": {issue.id, both}, "乙": set(), "丙": {whole}}
    table = lake.delta.open(lake.path(Zone.RESULTS, "tickets"))
    assert (
        table is not None and "现场" not in (shown := str(table.to_pyarrow_table().to_pylist())) and "读数" not in shown
    )
    assert "甲" not in shown, "the record is a hash only"
    forget_names(lake)


def marks(lake: Lake, registry: Registry) -> dict[str, set[str]]:
    """Tickets by station; Spark and the SQL service show the same."""
    query = "SELECT station, tickets FROM marked.station"
    under = {row["station"]: set(row["tickets"] or []) for row in ask(lake, query).collect()}
    with open_tickets(lake) as tickets:
        service = SqlService(lake, tickets.database, lambda: registry)
        rows = service.ask(OWNER, query, "test").table.to_pylist()
        service.close()
    assert {row["station"]: set(row["tickets"] or []) for row in rows} == under
    return under


def forget_names(lake: Lake) -> None:
    """Names are the engine's, which other tests share."""
    for named in ("VIEW marked.station", "TABLE silver.station", "TABLE evidence.station", "TABLE results.tickets"):
        lake.spark.sql(f"DROP {named}")


def test_open_tickets_are_a_table_of_results(lake: Lake, take: Callable[..., TicketChanges]) -> None:
    first = take(*DIRTY).delivery
    table = lake.delta.open(lake.path(Zone.RESULTS, "tickets"))
    assert table is not None
    rows = [(r["dataset"], r["rule"], r["delivery"]) for r in table.to_pyarrow_table().to_pylist()]
    assert rows == [("station", "temp_c_range", first)]
