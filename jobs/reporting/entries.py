"""Every delivery with its verdict and score, from one read of each results table."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta

from jobs.contracts import Contract, Registry
from jobs.contracts.sla import length
from jobs.lake.lake import Lake
from jobs.lake.results import RULES, Results
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State
from jobs.model.rule_result import RuleCounts
from jobs.model.verdict import Verdict
from jobs.reporting.score import Scores, scores, weights

HELD_BACK = (State.PARTLY_QUARANTINED, State.REFUSED, State.UNREADABLE)


@dataclass(frozen=True)
class Entry:
    """One delivery of the ledger; `verdict` is None before it was evaluated. An answer to tickets has no scores."""

    delivery: Delivery
    title: str
    department: str
    verdict: Verdict | None
    scores: Scores
    rules: tuple[RuleCounts, ...]
    has_report: bool

    def state(self) -> State:
        """What the lake decided; the ledger's state before that."""
        return self.verdict.state if self.verdict else self.delivery.state

    def read(self) -> Verdict | None:
        """The verdict where rows could be read, so that its counts mean something."""
        return None if self.state() is State.UNREADABLE else self.verdict

    def is_open(self) -> bool:
        """Whether rows wait for a correction: held back, and not superseded."""
        return self.state() in HELD_BACK and not self.delivery.superseded_by


@dataclass(frozen=True)
class Punctuality:
    """When a dataset's next delivery is due; `due_at` is None where nothing is agreed or nothing was delivered yet.

    `last`: the last delivery; an hour of a stream that is not over yet only where there is no other.
    """

    contract: Contract
    last: Entry | None
    due_at: datetime | None
    is_late: bool


def regular_entries(all_entries: Sequence[Entry]) -> list[Entry]:
    """Deliveries and their corrections, without answers to tickets."""
    return [entry for entry in all_entries if not entry.delivery.is_answer()]


def ended_entries(all_entries: Sequence[Entry]) -> list[Entry]:
    """Without hours of streams that are not over yet: of these there is nothing to say but what streams say of themselves."""
    return [entry for entry in all_entries if entry.state() is not State.OPEN]


def answers(all_entries: Sequence[Entry]) -> list[Entry]:
    """Deliveries that only answer tickets."""
    return [entry for entry in all_entries if entry.delivery.is_answer()]


def entries(lake: Lake, registry: Registry) -> list[Entry]:
    """All deliveries, in order of arrival."""
    verdicts = {v.delivery: v for v in Results(lake.delta, lake.settings.s3_bucket).verdicts()}
    counts = _rule_counts(lake)
    reports = {o.key for o in lake.store.list(f"{Zone.REPORTS}/") if o.key.endswith(".html")}
    by = weights()
    all_entries = []
    for delivery in lake.ledger.deliveries():
        contract = registry.contracts.get(delivery.dataset)
        rule_counts = tuple(counts.get(delivery.id, ()))
        all_entries.append(
            Entry(
                delivery=delivery,
                title=contract.title if contract else delivery.dataset,
                department=(contract.department if contract else "") or delivery.provider,
                verdict=verdicts.get(delivery.id),
                scores=scores(() if delivery.is_answer() else rule_counts, by),
                rules=rule_counts,
                has_report=f"{Zone.REPORTS}/{delivery.provider}/{delivery.dataset}/{delivery.id}.html" in reports,
            )
        )
    return all_entries


def punctuality(contract: Contract, mine: Sequence[Entry], now: datetime) -> Punctuality:
    """Whether the dataset's next delivery is late: last regular arrival + agreed frequency and latency."""
    arrivals = regular_entries(mine)
    last = next(reversed(ended_entries(arrivals) or arrivals), None)
    every, grace = length(contract.sla.get("frequency", "")), length(contract.sla.get("latency", ""))
    if last is None or every is None:
        return Punctuality(contract, last, None, False)
    regular = [entry for entry in arrivals if entry.delivery.is_regular()]
    due_at = (regular or arrivals)[-1].delivery.received_at + every + (grace or timedelta())
    return Punctuality(contract, last, due_at, now > due_at)


def _rule_counts(lake: Lake) -> dict[str, list[RuleCounts]]:
    """Rule counts by delivery; GX's own results are not read."""
    table = lake.delta.open(lake.path(Zone.RESULTS, RULES))
    by_delivery: dict[str, list[RuleCounts]] = {}
    if table is None:
        return by_delivery
    names = ["delivery", *(f.name for f in fields(RuleCounts))]
    columns = table.to_pyarrow_table(columns=names)
    for delivery, *values in zip(*(columns[name].to_pylist() for name in names), strict=True):
        by_delivery.setdefault(delivery, []).append(RuleCounts(*values))
    return by_delivery
