"""Deliveries of a period with their results: ledger and results as figures of a bulletin, in total and by department.

One read of each results table serves the period and the previous one; other parts of the tables are not read.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import pyarrow as pa

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.lake.results import COUNTED, RULES, VERDICTS, Results
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State
from jobs.model.verdict import Verdict
from jobs.reporting import figures
from jobs.reporting.bulletin.due_deliveries import DueDelivery, dues
from jobs.reporting.periods import scores_of
from jobs.reporting.score import Weights

SENT_BACK = (State.UNREADABLE, State.REFUSED)
Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Figure:
    """A number of the period and of the previous one, with the ids behind it: of a ratio, numerator and denominator.

    `like` names the figure that has the same ids. None where nothing could be counted.
    """

    name: str
    value: float | None
    before: float | None
    part: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    like: str = ""


@dataclass(frozen=True)
class PeriodDelivery:
    """A delivery as a bulletin counts it; `verdict` is None where it was not evaluated."""

    delivery: Delivery
    verdict: Verdict | None

    def read(self) -> Verdict | None:
        """The verdict where rows could be read."""
        return self.verdict if self.verdict and self.verdict.state is not State.UNREADABLE else None


@dataclass(frozen=True)
class ReceivedDeliveries:
    """Deliveries of one period, without those replaced by its end, and what was due."""

    batches: tuple[PeriodDelivery, ...]
    dues: tuple[DueDelivery, ...]


@dataclass(frozen=True)
class PeriodResults:
    """Both periods, and the rule results of all their deliveries."""

    now: ReceivedDeliveries
    before: ReceivedDeliveries
    counts: pa.Table
    versions: Mapping[str, int | None]


def period_results(
    lake: Lake, registry: Registry, before: datetime, span: Span, versions: Mapping[str, int | None]
) -> PeriodResults:
    """Deliveries of [before, since) and of `span`, with results at the versions given."""
    entries = lake.ledger.received(before, span[1])
    results = Results(lake.delta, lake.settings.s3_bucket)
    numbers = [d.seq for d in entries]
    within = [("seq", ">=", min(numbers)), ("seq", "<=", max(numbers))] if numbers else []
    tables = versions if numbers else {VERDICTS: None, RULES: None}
    verdicts = results.verdicts(within, tables[VERDICTS]) if tables[VERDICTS] is not None else []
    counts = results.counts(within, tables[RULES]) if tables[RULES] is not None else empty_counts()
    known = {v.delivery: v for v in verdicts}
    received = [_received(lake, registry, entries, known, period) for period in (span, (before, span[0]))]
    return PeriodResults(received[0], received[1], counts, versions)


def latest_versions(lake: Lake) -> dict[str, int | None]:
    """The current versions of the results tables; None where a table does not exist."""
    return {name: lake.delta.version(lake.path(Zone.RESULTS, name)) for name in (VERDICTS, RULES)}


def empty_counts() -> pa.Table:
    """Rule results of no delivery."""
    numbers = ("element_count", "unexpected_count", "missing_count")
    kinds = {**dict.fromkeys(numbers, pa.int64()), "success": pa.bool_()}
    return pa.schema([(name, kinds.get(name, pa.string())) for name in COUNTED]).empty_table()


def result_figures(
    results: PeriodResults, exempt: Collection[tuple[str, str]], weights: Weights
) -> dict[str, tuple[Figure, ...]]:
    """Figures by department, "" for the total. `exempt` are deliveries with rules excluded by a dispute."""
    counts = _without(results.counts, exempt)
    names = {b.delivery.provider for b in (*results.now.batches, *results.before.batches)}
    names |= {d.provider for d in (*results.now.dues, *results.before.dues)}
    scored = [_scores(received, counts, weights) for received in (results.now, results.before)]
    figures_by_provider = {}
    for name in ("", *sorted(names)):
        now, before = (_counted(_of(received, name)) for received in (results.now, results.before))
        now, before = now | scored[0].get(name, {}), before | scored[1].get(name, {})
        own_deliveries = _of(results.now, name)
        lists = _lists(own_deliveries)
        figures_by_provider[name] = tuple(_figure(key, now, before, lists, weights) for key in _keys(weights))
    return figures_by_provider


def _received(
    lake: Lake, registry: Registry, entries: Sequence[Delivery], known: Mapping[str, Verdict], span: Span
) -> ReceivedDeliveries:
    """Without deliveries replaced by the end of the span: a later correction counts in its own period.

    Answers to tickets do not count as deliveries; their corrections are in the ticket figures.
    """
    in_span = [d for d in entries if span[0] <= d.received_at < span[1] and not d.is_answer()]
    evaluated = {d.id for d in in_span if d.id in known}
    batches = tuple(PeriodDelivery(d, known.get(d.id)) for d in in_span if d.superseded_by not in evaluated)
    return ReceivedDeliveries(batches, tuple(due for c in registry.sources() for due in dues(lake, c, *span)))


def _of(received: ReceivedDeliveries, provider: str) -> ReceivedDeliveries:
    if not provider:
        return received
    batches = tuple(b for b in received.batches if b.delivery.provider == provider)
    return ReceivedDeliveries(batches, tuple(d for d in received.dues if d.provider == provider))


def _counted(received: ReceivedDeliveries) -> dict[str, float | None]:
    read = [v for v in (b.read() for b in received.batches) if v]
    rows, failed = sum(v.rows for v in read), sum(v.failed_rows for v in read)
    met = sum(bool(d.delivery) for d in received.dues)
    return {
        "deliveries": len(received.batches),
        "punctual": figures.share(met, len(received.dues)),
        "sent_back": sum(b.verdict is not None and b.verdict.state in SENT_BACK for b in received.batches),
        "rows": rows,
        "failed_rows": failed,
        "good_share": figures.share(rows - failed, rows),
        "failed_per_10k": 10_000 * failed / rows if rows else None,
    }


def _lists(received: ReceivedDeliveries) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Ids of numerator and denominator, of the figures that have lists of their own."""
    sent_back = (b.delivery.id for b in received.batches if b.verdict and b.verdict.state in SENT_BACK)
    return {
        "deliveries": ((), tuple(b.delivery.id for b in received.batches)),
        "punctual": (tuple(d.id for d in received.dues if d.delivery), tuple(d.id for d in received.dues)),
        "sent_back": ((), tuple(sent_back)),
    }


def _keys(weights: Weights) -> tuple[str, ...]:
    counted = ("deliveries", "punctual", "sent_back", "rows", "failed_rows", "good_share", "failed_per_10k")
    return (*counted, "score", *(f"score.{name}" for name in weights.dimensions))


def _figure(
    name: str,
    now: Mapping[str, float | None],
    before: Mapping[str, float | None],
    lists: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]],
    weights: Weights,
) -> Figure:
    part, whole = lists.get(name, ((), ()))
    return Figure(name, now.get(name), before.get(name), part, whole, "" if name in lists else "deliveries")


def _scores(received: ReceivedDeliveries, counts: pa.Table, weights: Weights) -> dict[str, dict[str, float | None]]:
    """Scores by department and in total."""
    groups = {b.delivery.id: b.delivery.provider for b in received.batches}
    totals = scores_of(counts, dict.fromkeys(groups, ""), "department", weights)
    scores = {}
    for group_score in (*totals, *scores_of(counts, groups, "department", weights)):
        dimensions = {f"score.{d.name}": d.score for d in group_score.scores.dimensions}
        scores[group_score.group] = {"score": group_score.scores.total, **dimensions}
    return scores


def _without(counts: pa.Table, exempt: Iterable[tuple[str, str]]) -> pa.Table:
    excluded = set(exempt)
    if not excluded:
        return counts
    pairs = zip(counts["delivery"].to_pylist(), counts["rule"].to_pylist(), strict=True)
    return counts.filter(pa.array([pair not in excluded for pair in pairs], pa.bool_()))
