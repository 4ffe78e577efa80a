"""What came in a period and how it was judged: ledger and results as figures of a bulletin, of all and by department.

One read of each results table serves the period and the one before it; parts of the tables that hold neither are not read.
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
    """A number of the period and of the one before, with the ids behind it: of a ratio those above and below the line.

    `like` names the figure whose ids are behind this one too. None where nothing could be counted.
    """

    name: str
    value: float | None
    before: float | None
    part: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    like: str = ""


@dataclass(frozen=True)
class PeriodDelivery:
    """A delivery as a bulletin counts it; `verdict` is None where it was not judged."""

    delivery: Delivery
    verdict: Verdict | None

    def read(self) -> Verdict | None:
        """The verdict where rows could be read."""
        return self.verdict if self.verdict and self.verdict.state is not State.UNREADABLE else None


@dataclass(frozen=True)
class ReceivedDeliveries:
    """What came in one period, without what was replaced by its end, and what was due."""

    batches: tuple[PeriodDelivery, ...]
    dues: tuple[DueDelivery, ...]


@dataclass(frozen=True)
class PeriodResults:
    """Both periods, and the rule results of all their deliveries."""

    now: ReceivedDeliveries
    before: ReceivedDeliveries
    counts: pa.Table
    versions: Mapping[str, int | None]


def judged(
    lake: Lake, registry: Registry, before: datetime, span: Span, versions: Mapping[str, int | None]
) -> PeriodResults:
    """What came in [before, since) and in `span`, by results at the versions given."""
    entries = lake.ledger.received(before, span[1])
    results = Results(lake.delta, lake.settings.s3_bucket)
    numbers = [d.seq for d in entries]
    within = [("seq", ">=", min(numbers)), ("seq", "<=", max(numbers))] if numbers else []
    tables = versions if numbers else {VERDICTS: None, RULES: None}
    verdicts = results.verdicts(within, tables[VERDICTS]) if tables[VERDICTS] is not None else []
    counts = results.counts(within, tables[RULES]) if tables[RULES] is not None else empty_counts()
    known = {v.delivery: v for v in verdicts}
    made = [_came(lake, registry, entries, known, one) for one in (span, (before, span[0]))]
    return PeriodResults(made[0], made[1], counts, versions)


def latest_versions(lake: Lake) -> dict[str, int | None]:
    """The versions of the results tables as they are; None where a table does not exist."""
    return {name: lake.delta.version(lake.path(Zone.RESULTS, name)) for name in (VERDICTS, RULES)}


def empty_counts() -> pa.Table:
    """Rule results of no delivery."""
    numbers = ("element_count", "unexpected_count", "missing_count")
    kinds = {**dict.fromkeys(numbers, pa.int64()), "success": pa.bool_()}
    return pa.schema([(name, kinds.get(name, pa.string())) for name in COUNTED]).empty_table()


def result_figures(
    found: PeriodResults, exempt: Collection[tuple[str, str]], weights: Weights
) -> dict[str, tuple[Figure, ...]]:
    """Figures by department, "" is all of them. `exempt` are deliveries with rules that a dispute took out."""
    counts = _without(found.counts, exempt)
    names = {b.delivery.provider for b in (*found.now.batches, *found.before.batches)}
    names |= {d.provider for d in (*found.now.dues, *found.before.dues)}
    scored = [_scores(came, counts, weights) for came in (found.now, found.before)]
    made = {}
    for name in ("", *sorted(names)):
        now, before = (_counted(_of(came, name)) for came in (found.now, found.before))
        now, before = now | scored[0].get(name, {}), before | scored[1].get(name, {})
        mine = _of(found.now, name)
        lists = _lists(mine)
        made[name] = tuple(_figure(key, now, before, lists, weights) for key in _keys(weights))
    return made


def _came(
    lake: Lake, registry: Registry, entries: Sequence[Delivery], known: Mapping[str, Verdict], span: Span
) -> ReceivedDeliveries:
    """Without what was replaced by the end of the span: a correction that came later counts in its own period.

    Answers to tickets are no deliveries of their own; what they mend is in the numbers of the loop.
    """
    mine = [d for d in entries if span[0] <= d.received_at < span[1] and not d.is_answer()]
    here = {d.id for d in mine if d.id in known}
    batches = tuple(PeriodDelivery(d, known.get(d.id)) for d in mine if d.superseded_by not in here)
    return ReceivedDeliveries(batches, tuple(due for c in registry.sources() for due in dues(lake, c, *span)))


def _of(came: ReceivedDeliveries, provider: str) -> ReceivedDeliveries:
    if not provider:
        return came
    batches = tuple(b for b in came.batches if b.delivery.provider == provider)
    return ReceivedDeliveries(batches, tuple(d for d in came.dues if d.provider == provider))


def _counted(came: ReceivedDeliveries) -> dict[str, float | None]:
    read = [v for v in (b.read() for b in came.batches) if v]
    rows, failed = sum(v.rows for v in read), sum(v.failed_rows for v in read)
    met = sum(bool(d.delivery) for d in came.dues)
    return {
        "deliveries": len(came.batches),
        "punctual": figures.share(met, len(came.dues)),
        "sent_back": sum(b.verdict is not None and b.verdict.state in SENT_BACK for b in came.batches),
        "rows": rows,
        "failed_rows": failed,
        "good_share": figures.share(rows - failed, rows),
        "failed_per_10k": 10_000 * failed / rows if rows else None,
    }


def _lists(came: ReceivedDeliveries) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """Ids above and below the line, of the figures that have lists of their own."""
    sent_back = (b.delivery.id for b in came.batches if b.verdict and b.verdict.state in SENT_BACK)
    return {
        "deliveries": ((), tuple(b.delivery.id for b in came.batches)),
        "punctual": (tuple(d.id for d in came.dues if d.delivery), tuple(d.id for d in came.dues)),
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


def _scores(came: ReceivedDeliveries, counts: pa.Table, weights: Weights) -> dict[str, dict[str, float | None]]:
    """Scores by department and of all."""
    groups = {b.delivery.id: b.delivery.provider for b in came.batches}
    every = scores_of(counts, dict.fromkeys(groups, ""), "department", weights)
    found = {}
    for one in (*every, *scores_of(counts, groups, "department", weights)):
        dimensions = {f"score.{d.name}": d.score for d in one.scores.dimensions}
        found[one.group] = {"score": one.scores.total, **dimensions}
    return found


def _without(counts: pa.Table, exempt: Iterable[tuple[str, str]]) -> pa.Table:
    taken = set(exempt)
    if not taken:
        return counts
    pairs = zip(counts["delivery"].to_pylist(), counts["rule"].to_pylist(), strict=True)
    return counts.filter(pa.array([pair not in taken for pair in pairs], pa.bool_()))
