"""The loop: what a delivery breaks becomes tickets, and a ticket closes only on proof by the very keys that failed."""

from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

import openpyxl
import pytest

from jobs.collaboration import TicketQuery
from jobs.contracts import Registry
from jobs.errors import NotAllowed
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.model.ticket import Ticket
from jobs.pipeline.conform import conform
from jobs.pipeline.correction_workbook import answer_ticket, ticket_workbook
from jobs.pipeline.ingestion import land, load
from jobs.pipeline.ticket_store import open_tickets
from jobs.pipeline.tickets import TicketChanges, govern
from tests.contract_texts import STATION_FIELDS, STATION_SUITE, contract

OWNER = Actor("reporter", "heat", "王工")
OFFICER = Actor("quality_officer", "bureau", "李专员")
OTHER = Actor("reporter", "water", "赵工")
HEAD = "站点,时间,温度,回温\n"
DIRTY = (
    *("甲,2026-01-01 08:00:00,999,40", "甲,2026-01-01 08:05:00,998,40"),
    *("乙,2026-01-01 08:00:00,60,40", "乙,2026-01-01 08:05:00,61,40"),
)


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    return write_contracts(
        {
            "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS),
            "expectations/sources/heat/station.yaml": STATION_SUITE,
        }
    )


@pytest.fixture
def take(lake: Lake, registry: Registry, tmp_path: Path) -> Callable[..., TicketChanges]:
    """Lines as a delivery through the whole way, to its tickets."""

    def way(*lines: str, supersedes: str = "", answers: tuple[str, ...] = ()) -> TicketChanges:
        file = tmp_path / f"{len(lake.ledger.deliveries())}.csv"
        file.write_text(HEAD + "".join(f"{line}\n" for line in lines), "utf-8")
        notes = Manifest(supersedes=supersedes or None, answers=list(answers))
        deliver(lake.store, [file], "station", "heat", notes)
        return judged(lake, registry)

    return way


def judged(lake: Lake, registry: Registry) -> TicketChanges:
    (landed,) = [one for one in land(lake, registry) if one.is_new]
    load(lake, registry, landed.delivery.id)
    conform(lake, registry, landed.delivery.id)
    return govern(lake, registry, landed.delivery.id)


def ticket(lake: Lake, rule: str) -> Ticket:
    with open_tickets(lake) as tickets:
        found = tickets.tickets(OFFICER, TicketQuery(text=rule), datetime.now(UTC)).tickets
    return next(one for one in found if one.rule == rule)


def events(lake: Lake, id_: str) -> list[str]:
    with open_tickets(lake) as tickets:
        return [one.event for one in tickets.events(id_, OFFICER)]


def test_a_broken_rule_is_one_ticket_and_the_same_delivery_changes_nothing(
    lake: Lake, registry: Registry, take: Callable[..., TicketChanges]
) -> None:
    done = take(*DIRTY)
    one = ticket(lake, "temp_c_range")
    assert done.tickets == (one.id,) and (one.provider, one.failed_rows, one.remaining_rows) == ("heat", 2, 2)
    assert one.state == "dispatched" and one.clock is not None and one.clock.policy == "C9"
    before = events(lake, one.id)
    again = govern(lake, registry, done.delivery)
    assert again.tickets == (one.id,) and again.outcomes == () and events(lake, one.id) == before


def test_a_whole_redelivery_closes_and_a_partial_one_shrinks(lake: Lake, take: Callable[..., TicketChanges]) -> None:
    first = take(*DIRTY).delivery
    part = take("甲,2026-01-01 08:00:00,59,40", *DIRTY[1:], supersedes=first)
    one = ticket(lake, "temp_c_range")
    assert (one.state, one.remaining_rows) == ("reopened", 1)
    assert "已改正 1 个" in part.outcomes[0].message and "未改正 1 个" in part.outcomes[0].message
    whole = take("甲,2026-01-01 08:00:00,59,40", "甲,2026-01-01 08:05:00,58,40", *DIRTY[2:], supersedes=part.delivery)
    assert [outcome.is_closed for outcome in whole.outcomes] == [True]
    closed = ticket(lake, "temp_c_range")
    assert (closed.state, closed.remaining_rows, closed.reopened) == ("closed", 0, 1)


def test_leaving_the_rows_out_proves_nothing(lake: Lake, take: Callable[..., TicketChanges]) -> None:
    first = take(*DIRTY).delivery
    take(*DIRTY[2:], supersedes=first)
    assert ticket(lake, "temp_c_range").state != "closed"
    take("甲,2026-01-01 08:00:00,59,40", *DIRTY[2:], supersedes=first)
    one = ticket(lake, "temp_c_range")
    assert one.state == "reopened" and one.remaining_rows == 1, "one key was never sent again"


def test_new_damage_keeps_the_ticket_open(lake: Lake, take: Callable[..., TicketChanges]) -> None:
    first = take(*DIRTY).delivery
    done = take("甲,2026-01-01 08:00:00,39,40", "甲,2026-01-01 08:05:00,58,40", *DIRTY[2:], supersedes=first)
    one = ticket(lake, "temp_c_range")
    assert one.state == "reopened" and "改正时又违反其他规则 1 个" in done.outcomes[0].message


def test_a_delivery_that_has_nothing_to_do_with_it_leaves_the_ticket_alone(
    lake: Lake, take: Callable[..., TicketChanges]
) -> None:
    take(*DIRTY)
    before = events(lake, ticket(lake, "temp_c_range").id)
    done = take("丙,2026-01-02 08:00:00,60,40")
    assert done.outcomes == () and events(lake, ticket(lake, "temp_c_range").id) == before


def test_the_fault_back_after_closing_reopens_the_ticket(lake: Lake, take: Callable[..., TicketChanges]) -> None:
    first = take(*DIRTY).delivery
    take("甲,2026-01-01 08:00:00,59,40", "甲,2026-01-01 08:05:00,58,40", *DIRTY[2:], supersedes=first)
    take("甲,2026-01-02 08:00:00,999,40")
    one = ticket(lake, "temp_c_range")
    assert (one.state, one.recurred, one.remaining_rows) == ("reopened", 1, 1)


def test_a_pack_filled_in_comes_back_as_the_proof(
    lake: Lake, registry: Registry, take: Callable[..., TicketChanges], tmp_path: Path
) -> None:
    take(*DIRTY)
    one = ticket(lake, "temp_c_range")
    file = tmp_path / f"{one.id}.xlsx"
    file.write_bytes(ticket_workbook(lake, registry, one.id, OWNER))
    book = openpyxl.load_workbook(file)
    problems = list(book["问题清单"].iter_rows(min_row=2, values_only=True))
    assert [(row[0], row[6], row[9]) for row in problems] == [(one.id, "2", "999"), (one.id, "3", "998")]
    sheet = book["整改数据"]
    names = [cell.value for cell in sheet[2]]
    for row in (3, 4):
        sheet.cell(row, names.index("temp_c") + 1).value = "58"
    problems_sheet = book["问题清单"]
    problems_sheet.cell(2, problems_sheet.max_column - 1).value = "已更正"
    problems_sheet.cell(2, problems_sheet.max_column).value = "测点已更换"
    book.save(file)
    answer_ticket(lake, registry, one.id, OWNER, file)
    done = judged(lake, registry)
    assert [outcome.is_closed for outcome in done.outcomes] == [True]
    assert lake.ledger.get(done.delivery).answers == (one.id,)
    with open_tickets(lake, registry) as tickets:
        told = {event.name: text for event, text in tickets.comments(one.id, OFFICER)}
    assert "已更正 1 条" in told["王工"] and "测点已更换" in told["王工"]
    govern(lake, registry, done.delivery)
    with open_tickets(lake, registry) as tickets:
        assert len([event for event, _ in tickets.comments(one.id, OFFICER) if event.name == "王工"]) == 1
    silver = lake.delta.open(lake.path(Zone.SILVER, "station"))
    assert silver is not None
    assert sorted(silver.to_pyarrow_table()["temp_c"].to_pylist()) == [58.0, 58.0, 60.0, 61.0]


def test_a_pack_put_into_the_landing_bucket_names_its_ticket_itself(
    lake: Lake, registry: Registry, take: Callable[..., TicketChanges], tmp_path: Path
) -> None:
    take(*DIRTY)
    one = ticket(lake, "temp_c_range")
    file = tmp_path / "anything.xlsx"
    file.write_bytes(ticket_workbook(lake, registry, one.id, OWNER))
    deliver(lake.store, [file], "station", "heat", Manifest())
    done = judged(lake, registry)
    assert lake.ledger.get(done.delivery).answers == (one.id,)
    assert [outcome.is_closed for outcome in done.outcomes] == [False], "nothing was mended in it"


def test_only_the_owner_gets_rows_and_only_the_owner_answers(
    lake: Lake, registry: Registry, take: Callable[..., TicketChanges], tmp_path: Path
) -> None:
    take(*DIRTY)
    one = ticket(lake, "temp_c_range")
    file = tmp_path / "officer.xlsx"
    file.write_bytes(ticket_workbook(lake, registry, one.id, OFFICER))
    assert openpyxl.load_workbook(file).sheetnames == ["说明", "问题清单"]
    with pytest.raises(NotAllowed, match="的整改数据只能由该单位报送"):
        answer_ticket(lake, registry, one.id, OFFICER, file)
    with pytest.raises(Exception, match="不属于您的部门"):
        ticket_workbook(lake, registry, one.id, OTHER)


def test_what_failing_rows_have_in_common_is_said_once(
    lake: Lake, registry: Registry, take: Callable[..., TicketChanges]
) -> None:
    bad = [f"丙,2026-01-01 08:{minute:02d}:00,999,40" for minute in range(10)]
    good = [f"{name},2026-01-01 08:{minute:02d}:00,60,40" for name in "甲乙丁" for minute in range(10)]
    done = take(*bad, *good)
    govern(lake, registry, done.delivery)
    with open_tickets(lake) as tickets:
        said = [text for _, text in tickets.comments(ticket(lake, "temp_c_range").id, OFFICER)]
    assert len(said) == 1
    assert "100.00% 集中在「站点」为“丙”的行（全部数据中占 25.00%）" in said[0]
    assert "100.00% 报送的值都是“999”" in said[0]


def test_rows_mended_a_few_at_a_time_close_the_ticket(
    lake: Lake, registry: Registry, take: Callable[..., TicketChanges]
) -> None:
    take(*DIRTY)
    one = ticket(lake, "temp_c_range")
    take("甲,2026-01-01 08:00:00,59,40", answers=(one.id,))
    half = ticket(lake, "temp_c_range")
    assert (half.state, half.failed_rows, half.remaining_rows) == ("reopened", 2, 1)
    assert keys_in(ticket_workbook(lake, registry, one.id, OWNER)) == ["998"], "what is mended is not asked for again"
    take("甲,2026-01-01 08:05:00,58,40", answers=(one.id,))
    assert ticket(lake, "temp_c_range").state == "closed"


def keys_in(made: bytes) -> list[str]:
    """The values that a workbook lists as wrong."""
    sheet = openpyxl.load_workbook(BytesIO(made))["问题清单"]
    head = [cell.value for cell in sheet[1]]
    return [row[head.index("原值")] for row in sheet.iter_rows(min_row=2, values_only=True)]


MODE = "  - {{property: write, value: {{mode: {mode}}}}}\n"
BOTH = ("甲,2026-01-01 08:00:00,29,40", "乙,2026-01-01 08:00:00,28,40", "丙,2026-01-01 08:00:00,60,40")
"""Rows that break two rules: below the return, and below what is usual."""


@pytest.mark.parametrize("mode", ["merge", "append"])
def test_rows_that_stand_in_two_tickets_are_counted_once_in_each(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path, mode: str
) -> None:
    registry = write_contracts(
        {
            "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS, MODE.format(mode=mode)),
            "expectations/sources/heat/station.yaml": STATION_SUITE.replace("severity: info", "severity: warning"),
        }
    )

    def send(*lines: str, answers: tuple[str, ...] = ()) -> None:
        file = tmp_path / f"{len(lake.ledger.deliveries())}.csv"
        file.write_text(HEAD + "".join(f"{line}\n" for line in lines), "utf-8")
        deliver(lake.store, [file], "station", "heat", Manifest(answers=list(answers)))
        judged(lake, registry)

    send(*BOTH)
    under, unusual = ticket(lake, "supply_above_return"), ticket(lake, "temp_operating")
    counts = [(one.failed_rows, one.remaining_rows) for one in (under, unusual)]
    assert counts == [(2, 2), (2, 2)]
    number = 0
    for answered in ((under.id,), (unusual.id,), (under.id, unusual.id)):
        for _ in range(2):
            number += 1
            send(*(line.replace(",40", f",4{number}") for line in BOTH[:2]), answers=answered)
            after = [ticket(lake, one.rule) for one in (under, unusual)]
            assert [(one.failed_rows, one.remaining_rows) for one in after] == [(2, 2), (2, 2)], (answered, number)
    assert len(lake.ledger.deliveries()) == 7
    send(BOTH[0].replace(",29,", ",59,"), answers=(under.id, unusual.id))
    after = [ticket(lake, one.rule) for one in (under, unusual)]
    assert [(one.failed_rows, one.remaining_rows) for one in after] == [(2, 1), (2, 1)]


def test_an_answer_that_cannot_be_read_or_holds_other_rows_is_told_on_the_ticket(
    lake: Lake, registry: Registry, take: Callable[..., TicketChanges], tmp_path: Path
) -> None:
    take(*DIRTY)
    one = ticket(lake, "temp_c_range")
    broken = tmp_path / "整改.xlsx"
    broken.write_bytes(b"PK\x03\x04 not a workbook at all")
    answer_ticket(lake, registry, one.id, OWNER, broken)
    done = judged(lake, registry)
    assert done.tickets == () and done.outcomes == (), (
        "an answer that cannot be read is no delivery that cannot be read"
    )
    with open_tickets(lake) as tickets:
        (event,) = [e for e in tickets.events(one.id, OFFICER) if e.event == "return_answer"]
        assert (
            event.facts["delivery"] == done.delivery and event.facts["reason"] == lake.ledger.get(done.delivery).reason
        )
    other = take("丙,2026-01-01 08:00:00,60,40", answers=(one.id,))
    with open_tickets(lake) as tickets:
        told = [e.facts for e in tickets.events(one.id, OFFICER) if e.event == "return_answer"]
    assert [facts["delivery"] for facts in told] == [done.delivery, other.delivery] and "对得上" in told[1]["reason"]
    assert ticket(lake, "temp_c_range").remaining_rows == 2


def test_a_pack_of_rows_that_still_fail_is_no_delivery_refused_whole(
    lake: Lake, take: Callable[..., TicketChanges]
) -> None:
    take(*DIRTY)
    one = ticket(lake, "temp_c_range")
    again = take("甲,2026-01-01 08:00:00,997,40", answers=(one.id,))
    assert lake.ledger.get(again.delivery).state == "partly_quarantined"
    after = ticket(lake, "temp_c_range")
    assert (after.state, after.failed_rows, after.remaining_rows, after.reopened) == ("reopened", 2, 2, 1)
    assert events(lake, one.id)[-1] == "fall_short" and "further" not in events(lake, one.id)


def test_an_unchanged_answer_about_the_key_is_said_to_fail_still(
    lake: Lake, take: Callable[..., TicketChanges]
) -> None:
    take(*DIRTY, ",2026-01-01 08:10:00,60,40")
    one = ticket(lake, "station_required")
    take(",2026-01-01 08:10:00,60,40", answers=(one.id,))
    with open_tickets(lake) as tickets:
        (event,) = [e for e in tickets.events(one.id, OFFICER) if e.event == "return_answer"]
    assert "仍有 1 行不符合本工单的规则" in event.facts["reason"]
    assert ticket(lake, "station_required").remaining_rows == 1


def test_a_refused_redelivery_mends_nothing(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path
) -> None:
    limit = "  - {property: acceptance, value: {max_failed_rows_pct: 60}}\n"
    registry = write_contracts({"schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS, limit)})

    def send(*lines: str, supersedes: str | None = None) -> str:
        file = tmp_path / f"{len(lake.ledger.deliveries())}.csv"
        file.write_text(HEAD + "".join(f"{line}\n" for line in lines), "utf-8")
        deliver(lake.store, [file], "station", "heat", Manifest(supersedes=supersedes))
        return judged(lake, registry).delivery

    first = send(*DIRTY)
    bad = [f"丁,2026-01-01 08:{minute:02d}:00,999,40" for minute in range(9)]
    second = send("甲,2026-01-01 08:00:00,59,40", *bad, supersedes=first)
    assert lake.ledger.get(second).state == "refused"
    assert ticket(lake, "temp_c_range").remaining_rows == 2 + 9
