"""A city with synthetic deliveries: each row lists the rules it fails; tickets follow as in production."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from jobs.collaboration import TicketQuery
from jobs.contracts import Contract, Rule
from jobs.lake.lake import Lake
from jobs.lake.ledger import Arrival
from jobs.lake.results import Results
from jobs.model.actor import Actor
from jobs.model.delivery import Delivery, State
from jobs.model.rule_result import RuleRow
from jobs.model.ticket import Ticket
from jobs.pipeline import recheck_delivery, tickets
from jobs.pipeline.recheck import KeyVerdicts
from jobs.pipeline.tickets import govern
from tests.unit.lake.local_lake import verdict
from tests.unit.serving.portal.portal_city import City, shipped

OFFICER = Actor("quality_officer", "bureau", "王五")
MERGED, APPENDED = "divisions", "gas_regulator_readings"
RULES = {
    MERGED: ("division_level_enum", "successor_code_pattern"),
    APPENDED: ("inlet_pressure_mpa_range", "outlet_pressure_kpa_type"),
}
Rows = Mapping[str, frozenset[str]]
"""Name of a record → rules that it fails."""


@dataclass
class History:
    """Deliveries of two datasets, one merged by key, one appended."""

    town: City
    rows: dict[str, Rows] = field(default_factory=dict)
    sent: list[Delivery] = field(default_factory=list)

    def send(self, dataset: str, rows: Rows, answers: Sequence[str] = (), supersedes: str | None = None) -> Delivery:
        """A delivery recorded, evaluated and governed."""
        contract, now = shipped().contract(dataset), self.town.clock[0]
        sha = f"{len(self.sent) + 1:064x}"[::-1]
        keys = (f"received/{contract.provider}/{dataset}/{sha[:12]}/甲.csv",)
        arrival = Arrival(dataset, contract.provider, sha, 7, keys, ((f"landing/{sha}", "e"),))
        ledger = self.town.portal.lake.ledger
        recorded, _ = ledger.record(replace(arrival, answers=tuple(answers), supersedes=supersedes), now)
        self.rows[recorded.id] = rows
        failed = sum(1 for broken in rows.values() if broken)
        delivery = ledger.move(recorded.id, _state(failed, len(rows), recorded), counted_rows=len(rows))
        self._evaluate(contract, delivery)
        if supersedes and delivery.state is not State.REFUSED:
            ledger.supersede(self._replaced(delivery), delivery.id)
        self.sent.append(delivery)
        govern(self._lake(), shipped(), delivery.id)
        self.town.wait(hours=1)
        return delivery

    def tickets(self) -> dict[tuple[str, str], Ticket]:
        """The newest ticket of each rule."""
        desk, now = self.town.portal.tickets, self.town.clock[0]
        newest_first = [t for name in RULES for t in desk.tickets(OFFICER, TicketQuery(dataset=name), now).tickets]
        return {(t.dataset, t.rule): t for t in reversed(newest_first) if t.rule in RULES[t.dataset]}

    def seen(
        self, _: Lake, __: Contract, delivery: Delivery, rules: Iterable[Rule], keys: Collection[str]
    ) -> KeyVerdicts:
        """The verdicts of the engine on the keys."""
        rows = {key_of(delivery.dataset, name): broken for name, broken in self.rows[delivery.id].items()}
        delivered = rows.keys() & set(keys)
        return KeyVerdicts(delivered, {rule.id: {key for key in delivered if rule.id in rows[key]} for rule in rules})

    def _replaced(self, delivery: Delivery) -> list[str]:
        replaced, older = [], delivery.supersedes
        while older:
            replaced.append(older)
            older = self.town.portal.lake.ledger.get(older).supersedes
        return replaced

    def _evaluate(self, contract: Contract, delivery: Delivery) -> None:
        rows, rules = self.rows[delivery.id], RULES[contract.id]
        counts = {rule: sum(rule in broken for broken in rows.values()) for rule in rules}
        bad = sum(1 for broken in rows.values() if broken)
        good = 0 if delivery.state is State.REFUSED else len(rows) - bad
        decision = verdict(delivery, rows=len(rows), good_rows=good, failed_rows=bad)
        results = [_result(decision.delivery, delivery, rule, len(rows), counts[rule.id]) for rule in _rules(contract)]
        lake = self.town.portal.lake
        Results(lake.delta, lake.settings.s3_bucket).write(decision, results)
        evidence = [
            {"_delivery": delivery.id, "_file": "甲.csv", "_row": place, "key": key_of(contract.id, name)}
            | {"rule": rule, "severity": "critical", "field": "", "value": "x"}
            for place, (name, broken) in enumerate(sorted(rows.items()), 2)
            for rule in sorted(broken)
        ]
        if evidence:
            lake.put_evidence(contract.id, evidence)  # type: ignore[attr-defined]

    def _lake(self) -> Lake:
        return self.town.portal.lake


@pytest.fixture
def engineless(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Governing without an engine: no hints on causes, no ticket table; a history supplies the verdicts."""
    monkeypatch.setattr(tickets, "causes", lambda *_: {})
    monkeypatch.setattr(tickets, "write_ticket_table", lambda *_: None)
    return monkeypatch


def observed(history: History, patch: pytest.MonkeyPatch) -> History:
    """The history as the source of re-checks."""
    patch.setattr(recheck_delivery, "key_verdicts", history.seen)
    return history


def key_of(dataset: str, name: str) -> str:
    """A record's key as in evidence."""
    first, second = shipped().contract(dataset).key()
    return json.dumps({first: name, second: "2020-01-01"}, ensure_ascii=False)


def _state(failed: int, rows: int, delivery: Delivery) -> State:
    if failed == rows and not delivery.is_answer():
        return State.REFUSED
    return State.PARTLY_QUARANTINED if failed else State.ACCEPTED


def _rules(contract: Contract) -> list[Rule]:
    return [rule for rule in shipped().rules[contract.id] if rule.id in RULES[contract.id]]


def _result(name: str, of: Delivery, rule: Rule, rows: int, failed: int) -> RuleRow:
    texts: dict[str, Any] = {
        n: getattr(rule, n) for n in ("type", "severity", "dimension", "indicator", "message", "remedy", "basis")
    }
    counted = {"element_count": rows, "unexpected_count": failed, "missing_count": 0, "success": not failed}
    place = {"delivery": name, "seq": of.seq, "dataset": of.dataset, "provider": of.provider, "rule": rule.id}
    return RuleRow(
        **place, **texts, **counted, fields=",".join(rule.fields), suite_hash="ab" * 32, silver_version=of.seq,
        judged_at=of.received_at,
    )  # fmt: skip
