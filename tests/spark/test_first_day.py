"""Rules about the time of delivery look at the day on which a row was first handed over, not at the day of its correction."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from jobs.collaboration import TicketQuery
from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.model.actor import SYSTEM
from jobs.model.ticket import Ticket
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from jobs.pipeline.ticket_store import open_tickets
from jobs.pipeline.tickets import govern
from jobs.pipeline.verification import verify
from jobs.reporting import write_report
from tests.contract_texts import contract

FIELDS = """
      - {name: permit_no, logicalType: string, required: true, primaryKey: true}
      - {name: decided_date, logicalType: date, required: true}
      - {name: kind, logicalType: string, enum: [{value: 普通}, {value: 特许}]}
"""
SUITE = """name: permit
expectations:
  - id: sent_in_a_week
    type: expect_column_values_to_satisfy
    kwargs: {column: decided_date, condition: "datediff(_sent_date, decided_date) <= 7"}
    severity: SEVERITY
    meta: {dimension: 时效性, message: 作出决定超过 7 天才报送, remedy: 请查明原因, basis: 双公示}
"""
HEAD = "permit_no,decided_date,kind\n"


class City:
    """Sends lines with a covering letter of a day, the whole way to the tickets."""

    def __init__(self, lake: Lake, registry: Registry, folder: Path) -> None:
        self.lake, self.registry, self.folder = lake, registry, folder

    def send(self, day: str, *lines: str, **notes: object) -> str:
        file = self.folder / f"{len(self.lake.ledger.deliveries())}.csv"
        file.write_text(HEAD + "".join(f"{line}\n" for line in lines), "utf-8")
        deliver(self.lake.store, [file], "permit", "heat", Manifest(sent_on=date.fromisoformat(day), **notes))
        (landed,) = land(self.lake, self.registry)
        load(self.lake, self.registry, landed.delivery.id)
        conform(self.lake, self.registry, landed.delivery.id)
        govern(self.lake, self.registry, landed.delivery.id)
        return landed.delivery.id

    def late(self, delivery: str) -> int:
        rows = Results(self.lake.delta, self.lake.settings.s3_bucket).rules([("delivery", "=", delivery)])
        (one,) = [row for row in rows if row.rule == "sent_in_a_week"]
        return one.unexpected_count

    def tickets(self) -> dict[str, Ticket]:
        with open_tickets(self.lake) as tickets:
            return {t.rule: t for t in tickets.tickets(SYSTEM, TicketQuery(), datetime.now(UTC)).tickets}


@pytest.fixture(params=["warning", "critical"])
def city(lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path, request: pytest.FixtureRequest) -> City:
    registry = write_contracts(
        {
            "schemas/sources/heat/permit.yaml": contract("permit", FIELDS),
            "expectations/sources/heat/permit.yaml": SUITE.replace("SEVERITY", request.param),
        }
    )
    return City(lake, registry, tmp_path)


FIRST = ("甲,2026-01-02,其他", "乙,2025-12-01,普通", "丙,2026-01-04,普通", "丁,2026-01-03,普通")


def test_a_ticket_closes_though_its_answer_comes_weeks_later(city: City) -> None:
    first = city.send("2026-01-05", *FIRST)
    assert city.late(first) == 1
    kind = city.tickets()["kind_enum"]
    answer = city.send("2026-02-20", "甲,2026-01-02,特许", answers=[kind.id])
    assert city.late(answer) == 0, "the row was first sent in time"
    assert city.tickets()["kind_enum"].state == "closed"
    late = city.tickets()["sent_in_a_week"]
    assert (late.state, late.failed_rows, late.remaining_rows) == ("dispatched", 1, 1), "the answer adds nothing to it"


def test_what_was_late_stays_late_and_a_wrong_date_is_mended(city: City) -> None:
    city.send("2026-01-05", *FIRST)
    late = city.tickets()["sent_in_a_week"]
    city.send("2026-02-20", "乙,2025-12-02,普通", answers=[late.id])
    assert city.tickets()["sent_in_a_week"].state == "reopened"
    city.send("2026-02-21", "乙,2026-01-01,普通", answers=[late.id])
    assert city.tickets()["sent_in_a_week"].state == "closed"


def test_a_record_that_is_sent_again_in_a_full_list_is_not_late_and_a_new_one_is(city: City) -> None:
    city.send("2026-01-05", *FIRST)
    again = city.send("2026-03-01", "丙,2026-01-04,普通", "丁,2026-01-03,特许", "戊,2026-01-03,普通")
    assert city.late(again) == 1, "戊 came for the first time"
    third = city.send("2026-03-20", "丙,2026-01-04,特许", "丁,2026-01-03,普通")
    assert city.late(third) == 0, "the first day is remembered over any number of deliveries"
    rows = city.lake.tables.read(city.lake.path(Zone.SILVER, "permit")).collect()
    days = {row["permit_no"]: row["_first_sent_on"] for row in rows}
    assert days["丙"] == days["丁"] == date(2026, 1, 5)


def test_a_correction_of_a_delivery_that_was_refused_whole_is_judged_by_its_first_day(city: City) -> None:
    first = city.send("2026-01-05", *(f"{n},2026-01-02,其他" for n in range(5)))
    assert city.lake.ledger.get(first).state == "refused"
    second = city.send("2026-02-20", *(f"{n},2026-01-02,普通" for n in range(5)), "9,2026-01-02,普通", supersedes=first)
    assert city.late(second) == 1, "9 was not in the first delivery"


def test_the_day_is_found_again_when_a_report_is_verified_later(city: City) -> None:
    city.send("2026-01-05", *FIRST)
    second = city.send("2026-03-01", "丙,2026-01-04,特许", "戊,2026-01-03,普通")
    write_report(city.lake, city.registry, second, datetime.now(UTC))
    city.send("2026-03-20", "戊,2026-01-03,特许")
    found = verify(city.lake, city.registry, second)
    assert found.differing() == [] and found.unjudged == ""
