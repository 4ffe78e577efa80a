"""Open rows after any history of deliveries, corrections and answers agree with a simple model of it."""

import random
import shutil
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.model.delivery import Delivery, State
from tests.unit.pipeline.row_history import APPENDED, MERGED, RULES, History, Rows, observed
from tests.unit.serving.portal.portal_city import city, shipped

pytest_plugins = ("tests.unit.pipeline.row_history",)
NAMES = "甲乙丙丁"


@dataclass
class Account:
    """A simple model: open rows of each rule, by delivery and record."""

    dataset: str
    rows: dict[str, Rows] = field(default_factory=dict)
    open: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    deliveries: dict[str, set[str]] = field(default_factory=dict)
    """Rule → deliveries with rows in its ticket since it was last opened."""

    def note(self, delivery: Delivery, rows: Rows, answered: set[str], replaced: set[str]) -> None:
        """One more delivery; `answered` are rules whose tickets it answers."""
        before = {rule: set(self.open.get(rule, ())) for rule in RULES[self.dataset]}
        ours = {d for rule in answered for d, _ in before[rule]}
        for rule in RULES[self.dataset]:
            corrected = set()
            for old, name in before[rule]:
                is_concerned = self.dataset == MERGED or old in ours or old in replaced or rule in answered
                if delivery.state is State.REFUSED or not is_concerned or name not in rows:
                    continue
                if rule in rows[name] or not self._damaged(old, name, rows, rule):
                    corrected.add((old, name))
            still_open = before[rule] - corrected
            self.open[rule] = still_open | {(delivery.id, name) for name, broken in rows.items() if rule in broken}
        self.rows[delivery.id] = rows

    def _damaged(self, old: str, name: str, rows: Rows, rule: str) -> bool:
        return bool((rows[name] - {rule}) - self.rows[old][name])


def drawn(rng: random.Random, history: History, account: Account, number: int) -> None:
    """Send a random delivery, and note it in the account."""
    dataset = account.dataset
    kind = rng.choice(("plain", "answer", "answer", "correction"))
    open_ = {rule: t for (name, rule), t in history.tickets().items() if name == dataset and account.open.get(rule)}
    standing = [d for d in history.sent if d.dataset == dataset and d.is_regular()]
    names = list(NAMES) if dataset == MERGED else [f"{n}{number}" for n in NAMES]
    answered: set[str] = set()
    replaced: list[str] = []
    if kind == "answer" and open_:
        answered = set(rng.sample(sorted(open_), rng.randint(1, len(open_))))
        names = sorted({name for rule in answered for _, name in account.open[rule]})
    elif kind == "correction" and standing:
        replaced = [rng.choice(standing).id]
        names = sorted(history.rows[replaced[0]])
    chosen = rng.sample(names, rng.randint(1, len(names)))
    rows = {name: frozenset(r for r in RULES[dataset] if rng.random() < 0.35) for name in chosen}
    if not answered:
        rows["好"] = frozenset()
    sent = history.send(dataset, rows, [open_[r].id for r in sorted(answered)], replaced[0] if replaced else None)
    account.note(sent, rows, answered, set(replaced))


@pytest.mark.parametrize("dataset", [MERGED, APPENDED])
@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(0, 10**6))
def test_open_rows_agree_with_a_plain_account(
    made_sqlite: Path, tmp_path_factory: pytest.TempPathFactory, engineless: pytest.MonkeyPatch, dataset: str, seed: int
) -> None:
    folder = tmp_path_factory.mktemp("history")
    shutil.copy(made_sqlite, folder / "state.db")
    town = city(folder, f"sqlite:///{folder / 'state.db'}", shipped())
    history, account, rng = observed(History(town), engineless), Account(dataset), random.Random(seed)
    for number in range(7):
        drawn(rng, history, account, number)
        tickets = history.tickets()
        for rule in RULES[dataset]:
            ticket, expected = tickets.get((dataset, rule)), account.open.get(rule, set())
            assert (ticket.remaining_rows if ticket else 0) == len(expected), (number, rule, expected)
            assert ticket is None or ticket.remaining_rows <= ticket.failed_rows
            assert ticket is None or (ticket.state == "closed") == (not expected)
    town.portal.tickets.database.close()
    town.portal.lake.ledger.close()
