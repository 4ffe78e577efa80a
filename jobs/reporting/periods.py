"""Scores over many deliveries, from stored results alone: by department, dataset, month or dimension.

A rule's counts are added up over the deliveries, so a large delivery weighs more than a small one. A delivery that was
replaced no longer counts; its correction does. Answers to tickets, a few rows each, do not count. The points lost of
100 are distributed to the rules exactly.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

import pyarrow as pa

from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.model.delivery import Delivery
from jobs.model.rule_result import RuleCounts
from jobs.reporting.score import Scores, Weights, is_of_each_row, pass_rate, scores, weights

BY = ("department", "dataset", "month", "dimension", "county")
KEYS = ("dataset", "rule", "type", "severity", "dimension", "indicator")
SUMS = ("element_count", "unexpected_count", "missing_count")


@dataclass(frozen=True)
class Loss:
    """Points of 100 that a rule takes from the score of its group."""

    points: float
    rule: RuleCounts


@dataclass(frozen=True)
class GroupScore:
    """The score of one group, and the rules that lost points, most first."""

    group: str
    deliveries: int
    scores: Scores
    losses: tuple[Loss, ...]


def period_scores(
    lake: Lake, by: str, since: datetime | None = None, until: datetime | None = None
) -> list[GroupScore]:
    """Scores of the deliveries received in [since, until), grouped as `by` says."""
    chosen = {d.id: d for d in lake.ledger.deliveries() if _is_within(d, since, until) and _counts(d)}
    results = Results(lake.delta, lake.settings.s3_bucket)
    if by == "county":
        return _by_county(chosen, results.counties())
    counts = results.counts()
    zone = ZoneInfo(lake.settings.timezone)
    groups = {
        d.id: {"department": d.provider, "dataset": d.dataset}.get(by) or _month(d, zone) for d in chosen.values()
    }
    return scores_of(counts, groups, by, weights())


def scores_of(counts: pa.Table, groups: Mapping[str, str], by: str, weighed: Weights) -> list[GroupScore]:
    """Scores of groups of deliveries, from rule results; `groups` says which delivery counts for which group."""
    pooled = _pooled(counts, groups, by)
    members: dict[str, set[str]] = {}
    for delivery, group in groups.items():
        for name in pooled if by == "dimension" else {group}:
            members.setdefault(name, set()).add(delivery)
    return [_scored(group, len(members[group]), rules, weighed) for group, rules in pooled.items()]


def _by_county(chosen: Mapping[str, Delivery], counts: pa.Table) -> list[GroupScore]:
    """Scores of counties, from counts stored by county; rules about whole tables have none."""
    deliveries, counties = counts["delivery"].to_pylist(), counts["county"].to_pylist()
    groups = [county if delivery in chosen else None for delivery, county in zip(deliveries, counties, strict=True)]
    members: dict[str, set[str]] = {}
    for delivery, group in zip(deliveries, groups, strict=True):
        members.setdefault(str(group), set()).add(delivery)
    pooled = _added(counts, pa.array(groups, pa.string()))
    return [_scored(group, len(members[group]), rules, weights()) for group, rules in pooled.items()]


def _counts(delivery: Delivery) -> bool:
    """Whether it is in scores: not replaced, and not only an answer to tickets."""
    return not (delivery.superseded_by or delivery.is_answer())


def _is_within(delivery: Delivery, since: datetime | None, until: datetime | None) -> bool:
    at = delivery.received_at
    return (since is None or at >= since) and (until is None or at < until)


def _month(delivery: Delivery, zone: ZoneInfo) -> str:
    return f"{delivery.received_at.astimezone(zone):%Y-%m}"


def _pooled(counts: pa.Table, groups: Mapping[str, str], by: str) -> dict[str, list[RuleCounts]]:
    names = pa.array([groups.get(delivery) for delivery in counts["delivery"].to_pylist()], pa.string())
    by_name = counts["dimension"] if by == "dimension" else names
    return _added(counts.filter(names.is_valid()), by_name.filter(names.is_valid()))


def _added(counts: pa.Table, groups: pa.Array) -> dict[str, list[RuleCounts]]:
    """Each rule's counts added up by group, in the order of the groups; rows without a group do not count.

    Rules about whole tables are not added up: each delivery's counts stay separate.
    """
    grouped = counts.append_column("group", groups).filter(groups.is_valid())
    keys = ["group", *KEYS]
    added = grouped.group_by(keys).aggregate([*((name, "sum") for name in SUMS), ("success", "all")])
    renamed = added.rename_columns({f"{name}_sum": name for name in SUMS} | {"success_all": "success"})
    summed = list(_rules(renamed))
    of_rows = [(group, rule) for group, rule in summed if is_of_each_row(rule)]
    if len(of_rows) < len(summed):
        of_rows += [(group, rule) for group, rule in _rules(grouped) if not is_of_each_row(rule)]
    by_group: dict[str, list[RuleCounts]] = {}
    for group, rule in of_rows:
        by_group.setdefault(group, []).append(rule)
    return dict(sorted(by_group.items()))


def _rules(rows: pa.Table) -> Iterator[tuple[str, RuleCounts]]:
    for row in rows.select(["group", *KEYS, "success", *SUMS]).to_pylist():
        yield row.pop("group"), RuleCounts(**row)


def _scored(group: str, deliveries: int, rules: Sequence[RuleCounts], by: Weights) -> GroupScore:
    group_scores = scores(rules, by)
    losses = sorted(_losses(rules, group_scores, by), key=lambda loss: -loss.points)
    return GroupScore(group, deliveries, group_scores, tuple(loss for loss in losses if loss.points > 0))


def _losses(rules: Sequence[RuleCounts], group_scores: Scores, by: Weights) -> Iterable[Loss]:
    """100 − total, by rule: its indicator's and dimension's weight times its failed share."""
    tested = [d for d in group_scores.dimensions if d.score is not None]
    all_dimensions = sum(d.weight for d in tested)
    for dimension in tested:
        indicators = [i for i in dimension.indicators if i.value is not None]
        all_indicators = sum(i.weight for i in indicators)
        for indicator in indicators:
            share = dimension.weight / all_dimensions * indicator.weight / all_indicators / indicator.tested
            yield from _lost(rules, (dimension.name, indicator.code), share, by)


def _lost(rules: Iterable[RuleCounts], place: tuple[str, str], share: float, by: Weights) -> Iterable[Loss]:
    """What rules of one indicator lose; each has the same share of the total."""
    for rule in rules:
        rate = pass_rate(rule)
        if rule.severity in by.severities and place == (rule.dimension, rule.indicator) and rate is not None:
            yield Loss(100 * share * (1 - rate), rule)
