"""Documents go through states, people, clocks and the chain as tickets about data do, and count in none of their figures."""

import pytest

from jobs.collaboration.ticket_queries import TicketQuery
from jobs.collaboration.tickets import Tickets
from jobs.errors import InvalidTransition, NotAllowed, Overtaken, PolicyRefusal, SetupError
from jobs.model.ticket import Draft
from tests.unit.collaboration.samples import (
    APPROVER,
    ASKER,
    ENTRY,
    ISSUE,
    LEADER,
    OFFICER,
    REPORTER,
    STRANGER,
    ZONE,
    at,
    moved,
    owners,
)

NOW = at("2026-01-05")
LIST = Draft("list_release", "share", "bureau", "共享清单", "[]")


def published(tickets: Tickets, document: Draft = ENTRY) -> str:
    """Id of the ticket of a document that went the whole way."""
    ticket = tickets.drafted(document, REPORTER, NOW)
    for way in ("submit:reporter", "endorse:approver", "publish:officer"):
        moved(tickets, ticket, way, NOW)
    return ticket


def test_an_entry_is_approved_by_its_department_and_published_by_the_authority(tickets: Tickets) -> None:
    ticket = tickets.drafted(ENTRY, REPORTER, NOW)
    labels = [tickets.ticket(ticket, REPORTER, NOW).label]
    for way in ("submit:reporter", "endorse:approver", "publish:officer"):
        moved(tickets, ticket, way, NOW)
        labels.append(tickets.ticket(ticket, REPORTER, NOW).label)
    assert labels == ["草稿", "待部门审批", "待主管审核", "已发布"]
    (version,) = tickets.published("catalogue_change")
    assert (version.subject, version.version, version.content, version.by) == ("divisions", 1, ENTRY.content, "王五")
    assert tickets.audit_verify().broken is None


def test_the_department_has_ten_working_days_and_the_authority_two(tickets: Tickets) -> None:
    ticket = tickets.drafted(ENTRY, REPORTER, NOW)
    first = tickets.ticket(ticket, REPORTER, NOW).clock
    moved(tickets, ticket, "submit:reporter", NOW)
    moved(tickets, ticket, "endorse:approver", at("2026-01-12"))
    second = tickets.ticket(ticket, REPORTER, at("2026-01-12")).clock
    assert first is not None and second is not None
    assert [(c.policy, c.length) for c in (first, second)] == [("C1", 10), ("C3", 2)]
    assert (first.due_at.date(), second.due_at.date()) == (at("2026-01-19").date(), at("2026-01-14").date())
    moved(tickets, ticket, "turn_back:officer", at("2026-01-13"))
    again = tickets.ticket(ticket, REPORTER, at("2026-01-13")).clock
    assert again is not None and (again.policy, again.started_at) == ("C1", at("2026-01-13"))


def test_an_extension_is_of_at_most_five_days(tickets: Tickets) -> None:
    ticket = tickets.drafted(ENTRY, REPORTER, NOW)
    with pytest.raises(PolicyRefusal):
        moved(tickets, ticket, "extend:officer", NOW, days=6)
    moved(tickets, ticket, "extend:officer", NOW, days=5)
    clock = tickets.ticket(ticket, REPORTER, NOW).clock
    assert clock is not None and clock.length == 15


def test_what_is_changed_before_it_is_published_is_kept_version_by_version(tickets: Tickets) -> None:
    ticket = tickets.drafted(ENTRY, REPORTER, NOW)
    revised = '{"share": "refused"}'
    with pytest.raises(PolicyRefusal, match="目录或清单页面"):
        moved(tickets, ticket, "revise:reporter", NOW, content="not checked by anybody")
    tickets.revised(tickets.ticket(ticket, REPORTER, NOW), revised, REPORTER, NOW)
    assert tickets.ticket(ticket, REPORTER, NOW).record == '{"share": "refused"}'
    said = [e.facts["content"] for e in tickets.events(ticket, LEADER) if "content" in e.facts]
    assert said == [ENTRY.content, '{"share": "refused"}']
    moved(tickets, ticket, "submit:reporter", NOW)
    with pytest.raises(InvalidTransition, match="不能「修改内容」"):
        tickets.revised(tickets.ticket(ticket, REPORTER, NOW), "{}", REPORTER, NOW)


def test_a_document_that_lacks_something_is_saved_but_goes_no_further(tickets: Tickets) -> None:
    asked: list[tuple[str, str]] = []

    def incomplete(subject: str, content: str) -> list[str]:
        asked.append((subject, content))
        return ["须写明依据", "须写明结论"]

    strict = Tickets(tickets.database, owners, ZONE, {"entry_complete": incomplete})
    ticket = strict.drafted(ENTRY, REPORTER, NOW)
    with pytest.raises(PolicyRefusal, match="还不能「提交」：须写明依据；须写明结论"):
        moved(strict, ticket, "submit:reporter", NOW)
    assert asked == [("divisions", ENTRY.content)]
    moved(tickets, ticket, "submit:reporter", NOW)
    moved(tickets, ticket, "endorse:approver", NOW)
    with pytest.raises(PolicyRefusal, match="还不能「审核发布」"):
        moved(strict, ticket, "publish:officer", NOW)
    moved(strict, ticket, "turn_back:officer", NOW)


def test_tickets_without_the_check_take_no_step_that_needs_it(tickets: Tickets) -> None:
    unchecked = Tickets(tickets.database, owners, ZONE)
    ticket = unchecked.drafted(ENTRY, REPORTER, NOW)
    with pytest.raises(SetupError, match="entry_complete"):
        moved(unchecked, ticket, "submit:reporter", NOW)


def test_one_change_of_an_entry_is_open_at_a_time(tickets: Tickets) -> None:
    ticket = tickets.drafted(ENTRY, REPORTER, NOW)
    with pytest.raises(Overtaken, match=ticket):
        tickets.drafted(ENTRY, APPROVER, NOW)
    moved(tickets, ticket, "cancel:reporter", NOW)
    assert tickets.drafted(ENTRY, APPROVER, NOW) != ticket


def test_each_published_change_is_the_next_version(tickets: Tickets) -> None:
    assert published(tickets) != published(tickets)
    assert [v.version for v in tickets.published("catalogue_change", "divisions")] == [1, 2]
    assert tickets.published("catalogue_change", "hotline_orders") == ()


@pytest.mark.parametrize("who", [STRANGER, ASKER, OFFICER, LEADER])
def test_only_the_department_writes_its_entry(tickets: Tickets, who: object) -> None:
    with pytest.raises(NotAllowed, match="编制"):
        tickets.drafted(ENTRY, who, NOW)  # type: ignore[arg-type]


def test_a_list_is_drawn_up_by_the_officer_and_published_by_the_leader_with_a_number(tickets: Tickets) -> None:
    ticket = tickets.drafted(LIST, OFFICER, NOW)
    assert tickets.ticket(ticket, OFFICER, NOW).clock is None
    moved(tickets, ticket, "submit:officer", NOW)
    mine = TicketQuery(is_mine=True)
    assert [t.id for t in tickets.tickets(LEADER, mine, NOW).tickets] == [ticket]
    assert not tickets.tickets(OFFICER, mine, NOW).tickets
    seen = tickets.ticket(ticket, LEADER, NOW).version
    with pytest.raises(PolicyRefusal, match="发布文号"):
        tickets.move(ticket, "publish", LEADER, seen, NOW)
    tickets.move(ticket, "publish", LEADER, seen, NOW, facts={"document_number": "聊数发〔2026〕1号"})
    (version,) = tickets.published("list_release")
    assert version.facts["document_number"] == "聊数发〔2026〕1号"


def test_documents_count_in_no_figure_of_data_quality(tickets: Tickets) -> None:
    tickets.found([ISSUE], NOW)
    before = tickets.metrics(OFFICER, at("2026-01-01"), at("2026-01-31"))
    counts = tickets.ticket_counts(OFFICER, NOW)
    published(tickets)
    tickets.drafted(ENTRY, REPORTER, NOW)
    assert tickets.metrics(OFFICER, at("2026-01-01"), at("2026-01-31")) == before
    assert tickets.ticket_counts(OFFICER, NOW) == counts


def test_a_change_waits_for_whom_the_state_names(tickets: Tickets) -> None:
    ticket = tickets.drafted(ENTRY, REPORTER, NOW)
    mine = TicketQuery(is_mine=True)
    assert [t.id for t in tickets.tickets(APPROVER, mine, NOW).tickets] == [ticket]
    moved(tickets, ticket, "submit:reporter", NOW)
    moved(tickets, ticket, "endorse:approver", NOW)
    assert [t.id for t in tickets.tickets(OFFICER, mine, NOW).tickets] == [ticket]
    assert not tickets.tickets(APPROVER, mine, NOW).tickets
