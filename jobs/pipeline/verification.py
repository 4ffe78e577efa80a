"""Reports verified: each number against the tables that it cites, and against the delivery evaluated again.

Bulletins: each number recomputed from the cited versions of results, and the ticket events up to the cited one.
"""

import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from deltalake.exceptions import DeltaError

from jobs import quality
from jobs.contracts import Registry, suite_hash
from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.bulletins import recomputed
from jobs.pipeline.delivery_checks import delivery_checks
from jobs.pipeline.evaluation import evaluate_delivery, runnable_rules
from jobs.pipeline.ticket_store import open_tickets
from jobs.pipeline.versions import as_of
from jobs.reporting import Check, Document, against_rules, against_verdict, bulletin, in_the_tables, report_key

GONE = "the cited table versions are older than 90 days and deleted; compared with the current results"
SUFFIXES = (".json", ".html", ".xlsx", ".pdf", ".docx")


@dataclass(frozen=True)
class Verification:
    """All numbers of a report with their recomputed values; `unjudged` says what could not be recomputed, and why."""

    delivery: str
    checks: tuple[Check, ...]
    unjudged: str = ""

    def differing(self) -> list[Check]:
        """Numbers that differ from their recomputed values."""
        return [check for check in self.checks if not check.agrees()]


def verify(lake: Lake, registry: Registry, report: str) -> Verification:
    """Every number of a report recomputed; `report` is its file or the id of its delivery. Nothing is written."""
    document = _document(lake, report)
    if document.get("format") == bulletin.FORMAT:
        return _bulletin(lake, registry, document, Path(report))
    checks = in_the_tables(lake, document, registry.contracts)
    recomputed_checks, reason = _reevaluated(lake, registry, document)
    return Verification(document["delivery"]["id"], (*checks, *recomputed_checks), reason)


def _bulletin(lake: Lake, registry: Registry, document: Document, file: Path) -> Verification:
    """Every number of a bulletin, the event chain behind it, and the text of its page where a page is given."""
    note, cited = "", document
    try:
        recomputed_document = recomputed(lake, registry, cited)
    except (DeltaError, FileNotFoundError):
        note, cited = GONE, bulletin.citing(document, bulletin.latest_versions(lake))
        recomputed_document = bulletin.citing(recomputed(lake, registry, cited), bulletin.versions_of(document))
    checks = [_chain(lake, document), *bulletin.bulletin_checks(document, json.loads(json.dumps(recomputed_document)))]
    if file.suffix in (".pdf", ".docx") and file.is_file():
        checks.append(bulletin.file_check(file, document, bulletin.fonts(lake.settings)))
    return Verification(f"bulletin {document['period']['name']}", tuple(checks), note)


def _chain(lake: Lake, document: Document) -> Check:
    """Whether the chain of ticket events is unbroken up to the cited event, with the cited hash."""
    cited = document["sources"]["events"]
    seq = cited["seq"]
    with open_tickets(lake) as tickets:
        audit = tickets.audit_verify((seq, cited["hash"]) if seq else None)
    is_whole = audit.broken is None or audit.broken > seq
    actual_hash = cited["hash"] if is_whole else f"event {audit.broken}: {audit.reason}"
    return Check("chain", cited["hash"], actual_hash, f"ticket_event seq {seq}")


def _document(lake: Lake, report: str) -> Document:
    file = Path(report)
    if file.suffix in SUFFIXES:
        file = file.with_suffix(".json")
        if file.is_file():
            data = file.read_bytes()
        elif report.startswith(f"{Zone.REPORTS}/") and lake.store.head(str(file)):
            data = lake.store.get_bytes(str(file))
        else:
            raise UserError(f"no file {file}; a report's numbers are in the JSON file next to its page")
    else:
        data = lake.store.get_bytes(report_key(lake.ledger.get(report), "json"))
    try:
        document: Document = json.loads(data)
    except ValueError as error:
        raise UserError(
            f"{report}: not JSON ({error}); a report's numbers are in the JSON file next to its page"
        ) from error
    return document


def _reevaluated(lake: Lake, registry: Registry, document: Document) -> tuple[list[Check], str]:
    if document["suite_hash"] is None:
        return [], "the delivery could not be read, so no rule ran"
    delivery = lake.ledger.get(document["delivery"]["id"])
    contract = registry.contract(delivery.dataset)
    judged_at = datetime.fromisoformat(document["delivery"]["judged_at"])
    versions = as_of(lake, judged_at)
    rules = runnable_rules(lake, registry.rules[contract.id], versions)
    if suite_hash(rules) != document["suite_hash"]:
        reason = f"the rules have changed: the report used {document['suite_hash'][:12]}, current is "
        return (
            [],
            f"{reason}{suite_hash(rules)[:12]}; check out the contracts and suites of {judged_at:%Y-%m-%d %H:%M}Z",
        )
    evaluation = evaluate_delivery(lake, contract, delivery, rules, versions)
    try:
        decision = evaluation.decision(contract, delivery)
        basis = quality.Basis(document["suite_hash"], -1, judged_at)
        verdict = quality.verdict_on(
            contract,
            delivery,
            decision,
            basis,
            quality.RowCounts(evaluation.outcome.counted, evaluation.repair_counts()),
        )
        source = "bronze, evaluated again"
        rows = quality.rule_rows(verdict, evaluation.outcome.results)
        rows += delivery_checks(lake, contract, delivery, verdict, evaluation.outcome.readings)
        return [*against_verdict(document, verdict, source), *against_rules(document, rows, source)], ""
    finally:
        evaluation.outcome.release()
