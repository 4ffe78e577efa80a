"""Facts of one delivery → JSON for programs: each number with the table version and rules that it comes from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

from jobs.access.personal_numbers import masked_text, masked_tree
from jobs.model.rule_result import RuleRow
from jobs.reporting.delivery.changes import MOST_PLACES
from jobs.reporting.delivery.facts import Facts
from jobs.reporting.delivery.sources import sources
from jobs.reporting.evidence import EvidenceLine
from jobs.reporting.history import limits
from jobs.reporting.score import checked_count, pass_rate, weights

FORMAT = "city-lake/delivery-report/1"
VERDICTS, RULES, LEDGER = "results.verdicts", "results.rules", "ledger.deliveries"
SHAPES = "results.shapes"


def report_document(facts: Facts, first: Mapping[str, tuple[EvidenceLine, ...]]) -> bytes:
    """The report as UTF-8 JSON."""
    document = {
        "format": FORMAT,
        "generated_at": facts.now.isoformat(),
        "delivery": _delivery(facts),
        "state": str(facts.state()),
        "reason": masked_text(facts.reason(), is_free=False),
        "contract_version": facts.verdict.contract_version if facts.verdict else None,
        "suite_hash": facts.suite_hash() or None,
        "weights": weights().model_dump(),
        "figures": _figures(facts),
        "scores": _scores(facts),
        "repairs": [_sourced(asdict(r), facts, VERDICTS) for r in (facts.verdict.repairs if facts.verdict else ())],
        "rules": [_rule(rule, facts, first.get(rule.rule, ())) for rule in facts.rules],
        "findings": [
            {"kind": f.kind, "message": masked_text(f.message, is_free=False), "detail": masked_tree(f.detail)}
            for f in facts.delivery.findings
        ],
        "trend": [_past(facts, index) for index in range(len(facts.past))],
        "history": _history(facts),
        "changes": _changes(facts),
        "sources": [asdict(source) for source in sources(facts)],
    }
    return json.dumps(document, ensure_ascii=False, indent=1, default=str).encode()


def _changes(facts: Facts) -> dict[str, object] | None:
    """The differences from the delivery that this one replaces; lists of places are cut at MOST_PLACES."""
    changes = facts.changes
    if changes is None:
        return None
    lists = {name: getattr(changes, name) for name in ("new", "gone", "changed")}
    places: dict[str, list[dict[str, object]]] = {
        name: [{"file": f, "row": r} for f, r in found[:MOST_PLACES]] for name, found in lists.items()
    }
    for place, fields in zip(places["changed"], changes.changed_fields, strict=False):
        place["fields"] = list(fields)
    counts = {f"{name}_rows": len(found) for name, found in lists.items()}
    head = {"before": changes.before, "rows_before": changes.rows_before, "rows": changes.rows}
    return {**head, "is_compared": changes.is_compared, **counts, **places, "by_field": dict(changes.by_field)}


def _delivery(facts: Facts) -> dict[str, object]:
    delivery = facts.delivery
    return {
        "id": delivery.id,
        "dataset": delivery.dataset,
        "title": facts.title(),
        "provider": delivery.provider,
        "department": facts.department(),
        "files": [masked_text(name, is_free=False) for name in delivery.names()],
        "sha256": delivery.sha256,
        "received_at": delivery.received_at.isoformat(),
        "judged_at": facts.verdict.judged_at.isoformat() if facts.verdict else None,
        "supersedes": delivery.supersedes,
        "superseded_by": delivery.superseded_by,
    }


def _figures(facts: Facts) -> list[dict[str, object]]:
    delivery, verdict = facts.delivery, facts.verdict
    ledger = {
        "size_bytes": ("文件大小（字节）", delivery.size_bytes),
        "declared_rows": ("申报行数", delivery.declared_rows),
        "counted_rows": ("实收行数", delivery.counted_rows),
        "repeats": ("相同文件再次收到的次数", facts.repeats),
    }
    evaluated = (
        {
            "rows": ("检查行数", verdict.rows),
            "good_rows": ("入库行数", verdict.good_rows),
            "failed_rows": ("未通过行数", verdict.failed_rows),
            "warned_rows": ("警告行数", verdict.warned_rows),
            "copies": ("去重行数", verdict.copies),
        }
        if verdict
        else {}
    )
    return [_figure(name, entry, facts, LEDGER) for name, entry in ledger.items()] + [
        _figure(name, entry, facts, VERDICTS) for name, entry in evaluated.items()
    ]


def _figure(name: str, entry: tuple[str, int | None], facts: Facts, table: str) -> dict[str, object]:
    return _sourced({"name": name, "title": entry[0], "value": entry[1]}, facts, table)


def _sourced(values: Mapping[str, object], facts: Facts, table: str) -> dict[str, object]:
    is_judged = table != LEDGER
    suite = facts.suite_hash() or None if is_judged else None
    return {**values, "table": table, "table_version": facts.versions.get(table), "suite_hash": suite}


def _scores(facts: Facts) -> dict[str, object]:
    dimensions = [
        {"name": d.name, "score": d.score, "weight": d.weight, "indicators": [asdict(i) for i in d.indicators]}
        for d in facts.scores.dimensions
    ]
    return _sourced({"total": facts.scores.total, "dimensions": dimensions}, facts, RULES)


def _rule(rule: RuleRow, facts: Facts, first: Sequence[EvidenceLine]) -> dict[str, object]:
    return _sourced(
        {
            "rule": rule.rule,
            "type": rule.type,
            "severity": rule.severity,
            "dimension": rule.dimension,
            "indicator": rule.indicator,
            "fields": [name for name in rule.fields.split(",") if name],
            "success": rule.success,
            "element_count": rule.element_count,
            "missing_count": rule.missing_count,
            "checked_count": checked_count(rule),
            "unexpected_count": rule.unexpected_count,
            "pass_rate": pass_rate(rule),
            "message": rule.message,
            "remedy": rule.remedy,
            "basis": rule.basis,
            "first_rows": [
                {"file": r.file, "row": r.row, "key": r.key, "value": r.value, "suggested": r.suggested} for r in first
            ],
        },
        facts,
        RULES,
    )


def _history(facts: Facts) -> dict[str, object] | None:
    history = facts.history
    if history is None:
        return None
    comparison = {
        "limits_version": limits().version,
        "day_kind": history.day_kind,
        "days": [day.isoformat() for day in history.days],
        "is_judged": history.is_judged,
        "unusual": [asdict(number) for number in history.unusual],
    }
    return _sourced(comparison, facts, RULES)


def _past(facts: Facts, index: int) -> dict[str, object]:
    past = facts.past[index]
    return {
        "delivery": past.verdict.delivery,
        "received_at": past.delivery.received_at.isoformat(),
        "state": str(past.verdict.state),
        "rows": past.verdict.rows,
        "failed_rows": past.verdict.failed_rows,
        "total": past.scores.total,
        "suite_hash": past.verdict.suite_hash or None,
        "superseded_by": past.delivery.superseded_by,
    }
