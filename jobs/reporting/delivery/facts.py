"""All data behind the report of one delivery, read once."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from jobs.contracts import Contract, Registry
from jobs.lake.lake import Lake
from jobs.lake.results import RULES, SHAPES, VERDICTS, Results
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State
from jobs.model.rule_result import RuleRow
from jobs.model.verdict import Verdict
from jobs.reporting.delivery.changes import Changes, changes_of
from jobs.reporting.history import EvaluatedDelivery, History, KnownResults, compared
from jobs.reporting.labels import SEVERITY_ORDER
from jobs.reporting.score import Scores, scores, weights

SHOWN_PAST = 12
NONE_YET = -1
"""Version of a table that did not exist when a report was written."""


@dataclass(frozen=True)
class PastDelivery:
    """One evaluated delivery of the dataset, for the trend."""

    delivery: Delivery
    verdict: Verdict
    scores: Scores


@dataclass(frozen=True)
class Facts:
    """A delivery with its results; `verdict` is None before it was evaluated, `contract` for an unknown dataset."""

    delivery: Delivery
    contract: Contract | None
    verdict: Verdict | None
    rules: tuple[RuleRow, ...]
    scores: Scores
    past: tuple[PastDelivery, ...]
    history: History | None
    repeats: int
    versions: Mapping[str, int]
    zone: str
    now: datetime
    changes: Changes | None = None
    """Against the delivery that this one replaces."""

    def department(self) -> str:
        """The department's name; its code where no contract names it."""
        return (self.contract.department if self.contract else "") or self.delivery.provider

    def title(self) -> str:
        """The dataset's Chinese name."""
        return self.contract.title if self.contract else self.delivery.dataset

    def state(self) -> State:
        """What the lake decided; the ledger's state before that."""
        return self.verdict.state if self.verdict else self.delivery.state

    def failing(self) -> list[RuleRow]:
        """Rules that failed, the most severe and most frequent first."""
        broken = [r for r in self.rules if not r.success or r.unexpected_count]
        return sorted(broken, key=lambda r: (SEVERITY_ORDER.get(r.severity, 9), -r.unexpected_count))

    def reason(self) -> str:
        """Why the delivery is in its state, unmasked; empty where there is no reason."""
        return (self.verdict.reason if self.verdict else "") or self.delivery.reason

    def suite_hash(self) -> str:
        """SHA-256 of the rules that ran; empty where none did."""
        return self.verdict.suite_hash if self.verdict else ""


def gather(lake: Lake, registry: Registry, delivery_id: str, now: datetime) -> Facts:
    """The facts of one delivery, without later ones of its dataset."""
    delivery = lake.ledger.get(delivery_id)
    contract = registry.contracts.get(delivery.dataset)
    versions = _versions(lake, contract)
    results = Results(lake.delta, lake.settings.s3_bucket)
    verdicts = [v for v in results.verdicts([("dataset", "=", delivery.dataset)]) if v.seq <= delivery.seq]
    entries = _entries(lake, delivery.dataset)
    shown_verdicts = _rounds(verdicts, entries)[-SHOWN_PAST:]
    ids = sorted({delivery_id, *(v.delivery for v in shown_verdicts)})
    by_delivery = _by_delivery(results.rules([("delivery", "in", ids)]) if verdicts else [])
    own = by_delivery.get(delivery_id, [])
    return Facts(
        delivery=delivery,
        contract=contract,
        verdict=next((v for v in verdicts if v.delivery == delivery_id), None),
        rules=tuple(own),
        scores=scores(own, weights()),
        past=tuple(
            PastDelivery(entries[v.delivery], v, scores(by_delivery.get(v.delivery, []), weights()))
            for v in shown_verdicts
        ),
        history=history_of(lake, delivery, contract, verdicts),
        repeats=lake.ledger.repeats(delivery_id),
        versions=versions,
        zone=lake.settings.timezone,
        now=now,
        changes=changes_of(lake, contract, delivery),
    )


def _entries(lake: Lake, dataset: str) -> dict[str, Delivery]:
    return {delivery.id: delivery for delivery in lake.ledger.deliveries(dataset)}


def _rounds(verdicts: Iterable[Verdict], entries: Mapping[str, Delivery]) -> list[Verdict]:
    """Verdicts on deliveries of the ledger, without answers to tickets."""
    return [v for v in verdicts if v.delivery in entries and not entries[v.delivery].is_answer()]


def _by_delivery(rules: Iterable[RuleRow]) -> dict[str, list[RuleRow]]:
    grouped: dict[str, list[RuleRow]] = {}
    for rule in rules:
        grouped.setdefault(rule.delivery, []).append(rule)
    return grouped


@dataclass(frozen=True)
class CitedVersions:
    """Versions of the results' tables that a report cites; None: the current ones."""

    rules: int | None = None
    shapes: int | None = None


def history_of(
    lake: Lake,
    delivery: Delivery,
    contract: Contract | None,
    verdicts: Sequence[Verdict],
    cited: CitedVersions = CitedVersions(),
) -> History | None:
    """The delivery compared with earlier ones, by current or cited rule results; None where no rule ran."""
    own = next((v for v in verdicts if v.delivery == delivery.id), None)
    if own is None or contract is None or not own.suite_hash or delivery.is_answer():
        return None
    entries = _entries(lake, delivery.dataset)
    before = [(entries[v.delivery], v) for v in _rounds(verdicts, entries) if v.seq < own.seq]
    results = Results(lake.delta, lake.settings.s3_bucket)
    counts = results.counts([("dataset", "=", delivery.dataset)], cited.rules)
    shapes = [] if cited.shapes == NONE_YET else results.shapes(delivery.dataset, cited.shapes)
    known = KnownResults(counts, shapes)
    return compared(EvaluatedDelivery(delivery, own), contract, before, known, lake.settings.timezone)


def _versions(lake: Lake, contract: Contract | None) -> dict[str, int]:
    paths = [lake.path(Zone.RESULTS, VERDICTS), lake.path(Zone.RESULTS, RULES), lake.path(Zone.RESULTS, SHAPES)]
    if contract:
        paths += [lake.path(zone, contract.id) for zone in (Zone.QUARANTINE, Zone.EVIDENCE)]
    versions = {str(path): lake.delta.version(path) for path in paths}
    return {name: version for name, version in versions.items() if version is not None}
