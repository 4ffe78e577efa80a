"""A report's numbers, recomputed from the tables at the versions that it cites. Needs no Spark."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from jobs.contracts import Contract
from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.row_filter import rows_of_id
from jobs.lake.zones import Zone
from jobs.model.rule_result import RuleRow
from jobs.model.verdict import Verdict
from jobs.reporting.delivery.document import FORMAT, LEDGER, RULES, SHAPES, VERDICTS
from jobs.reporting.delivery.facts import NONE_YET, CitedVersions, history_of
from jobs.reporting.history import limits
from jobs.reporting.score import Scores, Weights, checked_count, is_of_each_row, pass_rate, scores

JUDGED = ("rows", "good_rows", "failed_rows", "warned_rows", "copies")
COUNTS = ("success", "element_count", "missing_count", "unexpected_count")
Document = Mapping[str, Any]


@dataclass(frozen=True)
class Check:
    """One number of a report, and its recomputed value; `source` says from where."""

    number: str
    reported: object
    recomputed: object
    source: str

    def agrees(self) -> bool:
        """Whether both are the same; fractions to the ninth place."""
        if isinstance(self.reported, float) and isinstance(self.recomputed, int | float):
            return math.isclose(self.reported, float(self.recomputed), rel_tol=0, abs_tol=1e-9)
        return self.reported == self.recomputed


def in_the_tables(lake: Lake, document: Document, contracts: Mapping[str, Contract]) -> list[Check]:
    """Every number of the report, against ledger, results and evidence at the versions cited."""
    if document.get("format") != FORMAT:
        raise UserError(f"not a delivery report: its format is {document.get('format')!r}, known is {FORMAT!r}")
    delivery_id = document["delivery"]["id"]
    checks = list(_ledger(lake, document, delivery_id))
    results, versions = Results(lake.delta, lake.settings.s3_bucket), cited(document)
    if document["suite_hash"] is None:
        return checks
    mine = [("delivery", "=", delivery_id)]
    verdicts = results.verdicts(mine, versions[VERDICTS])
    rules = results.rules(mine, versions[RULES])
    if not verdicts:
        return [*checks, Check("verdict", document["state"], None, f"{VERDICTS} version {versions[VERDICTS]}")]
    checks += against_verdict(document, verdicts[0], f"{VERDICTS} version {versions[VERDICTS]}")
    checks += against_rules(document, rules, f"{RULES} version {versions[RULES]}")
    checks += _evidence(lake, document, rules)
    contract = contracts.get(document["delivery"]["dataset"])
    checks += _history(lake, document, results, versions, contract)
    return [*checks, *_trend(document, results, versions)]


def cited(document: Document) -> dict[str, int]:
    """Tables that the report cites, with their versions."""
    return {s["table"]: s["version"] for s in document["sources"] if s["version"] is not None}


def against_verdict(document: Document, verdict: Verdict, source: str) -> Iterator[Check]:
    """State, rows and repairs."""
    yield Check("state", document["state"], str(verdict.state), source)
    yield Check("suite_hash", document["suite_hash"], verdict.suite_hash, source)
    figures = {f["name"]: f["value"] for f in document["figures"]}
    for name in JUDGED:
        yield Check(f"figures.{name}", figures.get(name), getattr(verdict, name), source)
    repaired = {(r.field, r.kind): r.rows for r in verdict.repairs}
    reported = {(r["field"], r["kind"]): r["rows"] for r in document["repairs"]}
    for place in sorted({*repaired, *reported}):
        yield Check(f"repairs.{'.'.join(place)}", reported.get(place, 0), repaired.get(place, 0), source)


def against_rules(document: Document, rules: Iterable[RuleRow], source: str) -> Iterator[Check]:
    """Counts and pass rates of each rule, and the scores that follow from them."""
    recomputed, reported = {r.rule: r for r in rules}, {r["rule"]: r for r in document["rules"]}
    for name in sorted({*recomputed, *reported}):
        if name not in recomputed or name not in reported:
            yield Check(f"rules.{name}", name in reported, name in recomputed, source)
            continue
        rule, claimed = recomputed[name], reported[name]
        for count in COUNTS:
            yield Check(f"rules.{name}.{count}", claimed[count], getattr(rule, count), source)
        yield Check(f"rules.{name}.checked_count", claimed["checked_count"], checked_count(rule), source)
        yield Check(f"rules.{name}.pass_rate", claimed["pass_rate"], pass_rate(rule), source)
    yield from _scores(document, scores(recomputed.values(), Weights.model_validate(document["weights"])), source)


def _scores(document: Document, recomputed: Scores, source: str) -> Iterator[Check]:
    yield Check("scores.total", document["scores"]["total"], recomputed.total, source)
    reported = {d["name"]: d for d in document["scores"]["dimensions"]}
    for dimension in recomputed.dimensions:
        claimed = reported.get(dimension.name, {})
        yield Check(f"scores.{dimension.name}", claimed.get("score"), dimension.score, source)
        indicators = {i["code"]: i["value"] for i in claimed.get("indicators", ())}
        for indicator in dimension.indicators:
            number = f"scores.{dimension.name}.{indicator.code}"
            yield Check(number, indicators.get(indicator.code), indicator.value, source)


def _trend(document: Document, results: Results, versions: Mapping[str, int]) -> Iterator[Check]:
    """Numbers of earlier deliveries that the report shows."""
    ids = sorted(past["delivery"] for past in document["trend"])
    verdicts = {v.delivery: v for v in results.verdicts([("delivery", "in", ids)], versions[VERDICTS])}
    rules: dict[str, list[RuleRow]] = {}
    for rule in results.rules([("delivery", "in", ids)], versions[RULES]):
        rules.setdefault(rule.delivery, []).append(rule)
    by = Weights.model_validate(document["weights"])
    for past in document["trend"]:
        name, verdict = past["delivery"], verdicts.get(past["delivery"])
        for count in ("rows", "failed_rows"):
            yield Check(f"trend.{name}.{count}", past[count], verdict and getattr(verdict, count), VERDICTS)
        yield Check(f"trend.{name}.total", past["total"], scores(rules.get(name, []), by).total, RULES)


def _history(
    lake: Lake, document: Document, results: Results, versions: Mapping[str, int], contract: Contract | None
) -> Iterator[Check]:
    """Unusual numbers against earlier deliveries, where the limits are those of the report."""
    reported = document.get("history")
    if reported is None or reported["limits_version"] != limits().version:
        return
    delivery = lake.ledger.get(document["delivery"]["id"])
    verdicts = results.verdicts([("dataset", "=", delivery.dataset)], versions[VERDICTS])
    cited = CitedVersions(versions[RULES], versions.get(SHAPES, NONE_YET))
    history = history_of(lake, delivery, contract, verdicts, cited)
    recomputed = {(u.kind, u.field): u for u in history.unusual} if history else {}
    claimed = {(u["kind"], u["field"]): u for u in reported["unusual"]}
    yield Check("history.days", reported["days"], [day.isoformat() for day in history.days] if history else None, RULES)
    for place in sorted({*recomputed, *claimed}):
        claim = claimed.get(place, {})
        for name in ("seen", "low", "high"):
            number = f"history.{'.'.join(filter(None, place))}.{name}"
            yield Check(number, claim.get(name), getattr(recomputed.get(place), name, None), RULES)


def _ledger(lake: Lake, document: Document, delivery_id: str) -> Iterator[Check]:
    delivery = lake.ledger.get(delivery_id)
    yield Check("delivery.sha256", document["delivery"]["sha256"], delivery.sha256, LEDGER)
    figures = {f["name"]: f["value"] for f in document["figures"]}
    for name in ("size_bytes", "declared_rows", "counted_rows"):
        yield Check(f"figures.{name}", figures.get(name), getattr(delivery, name), LEDGER)


def _evidence(lake: Lake, document: Document, rules: Iterable[RuleRow]) -> Iterator[Check]:
    """Failures that rules count, against rows of evidence."""
    table, counted = f"{Zone.EVIDENCE}.{document['delivery']['dataset']}", [r for r in rules if is_of_each_row(r)]
    version = cited(document).get(table)
    rows = evidence_counts(lake, document["delivery"]["dataset"], document["delivery"]["id"], version)
    for rule in counted:
        if rule.unexpected_count or rows.get(rule.rule):
            reported = next((r["unexpected_count"] for r in document["rules"] if r["rule"] == rule.rule), None)
            yield Check(f"rules.{rule.rule}.evidence", reported, rows.get(rule.rule, 0), f"{table} version {version}")


def evidence_counts(lake: Lake, dataset: str, delivery_id: str, version: int | None) -> dict[str, int]:
    """Rows of evidence by rule; none where the table did not exist."""
    table = lake.delta.open(lake.path(Zone.EVIDENCE, dataset), version) if version is not None else None
    if table is None:
        return {}
    filters = rows_of_id(lake.ledger, delivery_id).terms(table)
    names: pa.Table = table.to_pyarrow_table(columns=["rule"], filters=filters)
    return {str(v["values"]): int(v["counts"]) for v in pc.value_counts(names["rule"]).to_pylist()}
