"""Every number on a ticket's, a dataset's, a department's and the city's page agrees with the others, after any history."""

import random
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.collaboration import TicketQuery
from jobs.model.actor import SYSTEM
from jobs.model.delivery import State
from jobs.reporting.overview import write_index
from jobs.serving.portal.services.data_service import DataService
from jobs.serving.portal.services.loop_service import LoopService
from jobs.serving.portal.services.ticket_service import TicketService
from tests.unit.pipeline.row_history import APPENDED, MERGED, RULES, History, observed
from tests.unit.pipeline.test_open_rows import Account, drawn
from tests.unit.serving.portal.portal_city import PEOPLE_ACTORS, Browser, City, city, shipped

pytest_plugins = ("tests.unit.pipeline.row_history",)
OFFICER = PEOPLE_ACTORS["officer"]


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_numbers_agree(
    made_sqlite: Path, tmp_path_factory: pytest.TempPathFactory, engineless: pytest.MonkeyPatch, seed: int
) -> None:
    folder, rng = tmp_path_factory.mktemp("numbers"), random.Random(seed)
    shutil.copy(made_sqlite, folder / "state.db")
    town = city(folder, f"sqlite:///{folder / 'state.db'}", shipped())
    history = observed(History(town), engineless)
    accounts = {name: Account(name) for name in RULES}
    for number in range(10):
        drawn(rng, history, accounts[rng.choice((MERGED, APPENDED))], number)
    for check in (tickets_are_made_of_deliveries, lists_and_tallies, scores_and_counts, last_delivery, loop_and_lists):
        check(town, history)
    town.portal.tickets.database.close()
    town.portal.lake.ledger.close()


def tickets_are_made_of_deliveries(town: City, history: History) -> None:
    """A ticket's rows are those of its deliveries; each delivery's page says the same of the rule."""
    browser, data = Browser(town.portal, "officer"), DataService(town.portal, OFFICER)
    for one in history.tickets().values():
        view = TicketService(town.portal, OFFICER).view(one.id)
        assert sum(s.remaining_rows for s in view.ticket_deliveries) == one.remaining_rows <= one.failed_rows
        page = browser.get(f"/tickets/{one.id}").text
        assert f"未通过 {one.failed_rows:,} 行，还有 {one.remaining_rows:,} 行待改" in page
        for s in view.ticket_deliveries:
            failing = {r.rule: r.unexpected_count for r in data.delivery(s.delivery).failing}
            assert failing[one.rule] == s.failed_rows


def lists_and_tallies(town: City, history: History) -> None:
    """Numbers of tickets by department are those of the lists that they lead to; the city's are their sums."""
    data, tickets = DataService(town.portal, OFFICER), TicketService(town.portal, OFFICER)
    overview = data.overview()
    for row in overview.ranked:
        mine = data.department(row.provider)
        assert mine.tally == row.tally and mine.score == row.score
        listed = {
            "open": tickets.page(TicketQuery(provider=row.provider, is_open=True)).total,
            "overdue": tickets.page(TicketQuery(provider=row.provider, is_overdue=True)).total,
            "closed": tickets.page(TicketQuery(provider=row.provider, states=("closed",))).total,
        }
        assert listed == vars(mine.tally), row.provider
    for name in ("open", "overdue", "closed"):
        assert getattr(overview.tally, name) == sum(getattr(r.tally, name) for r in overview.ranked)
    own = PEOPLE_ACTORS["own"]
    assert DataService(town.portal, own).department(own.department).tally == data.department(own.department).tally


def scores_and_counts(town: City, history: History) -> None:
    """A department's deliveries are those of its datasets' pages that count: not replaced, and no answers."""
    data = DataService(town.portal, OFFICER)
    views = {name: data.dataset(name) for name in RULES}
    for name, view in views.items():
        assert view.entries is not None
        sent = [d for d in history.sent if d.dataset == name]
        assert {e.delivery.id for e in view.entries} == {d.id for d in sent if not d.is_answer()}
        assert {e.delivery.id for e in view.answers} == {d.id for d in sent if d.is_answer()}
        assert all(e.scores.total is None for e in view.answers)
        provider = view.contract.provider
        (ranked,) = [r for r in data.overview().ranked if r.provider == provider]
        counted = [e for e in view.entries if not e.delivery.superseded_by]
        assert ranked.deliveries == len(counted)
        shown = [trend.chart for trend in data.department(provider).trends]
        assert len(shown) == (len([e for e in view.entries if e.verdict]) > 1)


def last_delivery(town: City, history: History) -> None:
    """The last delivery and the next due time are of the dataset's own round, in the portal and in the reports."""
    lake = town.portal.lake
    write_index(lake, shipped(), town.clock[0])
    data = DataService(town.portal, OFFICER)
    for name in RULES:
        view = data.dataset(name)
        sent = [d for d in history.sent if d.dataset == name and not d.is_answer()]
        if not sent or view.time is None:
            continue
        assert view.time.last is not None and view.time.last.delivery.id == sent[-1].id
        regular = [d for d in sent if d.is_regular()]
        later = [t for t in data.department(view.contract.provider).times if t.contract.id == name]
        assert later[0].due_at == view.time.due_at
        if view.time.due_at and regular:
            assert view.time.due_at > regular[-1].received_at
        page = town.store.objects[f"reports/{view.contract.provider}/index.html"].decode()
        answers = [d for d in history.sent if d.dataset == name and d.is_answer()]
        assert ("整改报送" in page) == bool(answers)
        assert all(d.state is not State.REFUSED for d in answers)


def loop_and_lists(town: City, history: History) -> None:
    """What the loop counts as not ended is what the list of open issues holds."""
    now = datetime.now(UTC) + timedelta(minutes=1)  # governing goes by the clock on the wall
    for provider in {shipped().contract(name).provider for name in RULES}:
        metrics = town.portal.tickets.metrics(SYSTEM, now - timedelta(days=400), now, provider)
        wanted = TicketQuery(provider=provider, kind="issue", is_open=True)
        still_open = {t.id for t in town.portal.tickets.tickets(OFFICER, wanted, now).tickets}
        assert metrics.stock.is_reconciled() and set(metrics.stock.closing) == still_open
        tally = town.portal.tickets.ticket_counts(OFFICER, now)[provider]
        assert len(set(metrics.stock.new) - set(metrics.stock.closing)) == tally.closed
        view = LoopService(town.portal, OFFICER).department(provider, "")
        numbers = {part.of: part.number for one in view.rows[0].figures for part in one.parts}
        assert numbers["opening"] + numbers["new"] - numbers["closed"] == numbers["closing"]
