"""Deliveries evaluated: bronze → silver | quarantine, with results and evidence."""

import logging
from collections.abc import Sequence
from datetime import UTC, datetime

import pyarrow as pa

from jobs import quality
from jobs.conform import Publication, publish
from jobs.contracts import Contract, Registry, suite_hash
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State
from jobs.model.verdict import Verdict
from jobs.pipeline.delivery_checks import delivery_checks
from jobs.pipeline.evaluation import Evaluation, evaluate_delivery, runnable_rules
from jobs.pipeline.ingestion import is_read_otherwise, is_unread, load
from jobs.pipeline.removals import places_to_restore, removal_evidence
from jobs.pipeline.restoration import OverwrittenRows, Withdrawal, chain_of, newer_letters, replaced_by
from jobs.pipeline.versions import latest_versions

logger = logging.getLogger(__name__)


def conform(lake: Lake, registry: Registry, delivery_id: str) -> Verdict:
    """Bronze rows of one delivery to silver, or to quarantine with their reasons; one pass. Loads the delivery first if it is not, or was by another layout."""
    delivery = lake.ledger.get(delivery_id)
    contract = registry.contract(delivery.dataset)
    if is_unread(delivery) or is_read_otherwise(contract, delivery):
        delivery = load(lake, registry, delivery_id)
    results = Results(lake.delta, lake.settings.s3_bucket)
    if delivery.state is State.UNREADABLE:
        verdict = quality.unreadable(contract, delivery, datetime.now(UTC))
        results.write(verdict, delivery_checks(lake, contract, delivery, verdict))
        return verdict
    versions = latest_versions(lake)
    rules = runnable_rules(lake, registry.rules[contract.id], versions)
    evaluation = evaluate_delivery(lake, contract, delivery, rules, versions)
    try:
        decision = evaluation.decision(contract, delivery)
        _publish(lake, evaluation, contract, delivery, decision.is_refused())
    finally:
        evaluation.outcome.release()
    verdict = quality.verdict_on(
        contract,
        delivery,
        decision,
        quality.Basis(suite_hash(rules), lake.tables.version(lake.path(Zone.SILVER, contract.id)), datetime.now(UTC)),
        quality.RowCounts(evaluation.outcome.counted, evaluation.repair_counts()),
    )
    counties = quality.county_rows(verdict, evaluation.outcome.counties)
    rows = [
        *quality.rule_rows(verdict, evaluation.outcome.results),
        *delivery_checks(lake, contract, delivery, verdict, evaluation.outcome.readings),
    ]
    from jobs.quality.distribution import distribution_rows

    results.write(verdict, rows, counties, distribution_rows(verdict, evaluation.outcome.shape))
    lake.ledger.move(delivery.id, verdict.state, reason=verdict.reason)
    logger.info("%s: delivery %s is %s, %s rows failed", contract.id, delivery.id, verdict.state, verdict.failed_rows)
    return verdict


def _publish(lake: Lake, evaluation: Evaluation, contract: Contract, delivery: Delivery, is_refused: bool) -> None:
    """Write the tables of a decision; a refused correction replaces nothing, and withdrawn rows restore those they overwrote."""
    from jobs.quality.suggest import suggested

    deliveries = lake.ledger.deliveries(contract.id)
    replaced = chain_of(delivery, {other.id: other for other in deliveries})
    is_retry = lake.ledger.start_conform(delivery.id)
    reinstated_ids = replaced if is_refused and is_retry else ()
    replaced_ids = () if is_refused else replaced
    withdrawn_ids = (delivery.id, *replaced_ids) if is_retry else replaced_ids
    removed = places_to_restore(lake, contract, delivery, is_refused and is_retry)
    withdrawal = Withdrawal(delivery, withdrawn_ids, reinstated_ids, removed)
    overwritten = OverwrittenRows(lake, contract, evaluation.outcome.rules, withdrawal)
    publication = Publication(
        rules=evaluation.outcome.rules,
        contract=contract,
        delivery=delivery,
        extras=evaluation.extras,
        replaced=replaced_ids,
        is_retry=is_retry,
        failed=evaluation.outcome.counted["failed"],
        broken=evaluation.outcome.counted["broken"],
        is_refused=is_refused,
        suggest=suggested,
        is_replaced=delivery.superseded_by is not None,
        reinstated=reinstated_ids,
        overwritten=overwritten.rows,
        restores_removed=removed is not None,
        table=evaluation.outcome.table,
        stage=evaluation.outcome.stage,
        removed=_removed(lake, evaluation, contract, delivery) if not is_refused else (),
        newer=newer_letters(lake, contract, delivery, deliveries),
    )
    try:
        publish(lake, publication)
    finally:
        overwritten.release()
    _remove(lake, evaluation, publication)
    _record_replaced(lake, publication, deliveries)


def _record_replaced(lake: Lake, publication: Publication, deliveries: Sequence[Delivery]) -> None:
    """Record in the ledger which deliveries the published one replaces; those of a refused one are valid again."""
    delivery = publication.delivery
    if publication.is_refused:
        lake.ledger.reinstate(delivery.id, replaced_by(deliveries, delivery.id))
    elif not publication.is_replaced:
        lake.ledger.supersede(publication.replaced, delivery.id)


def _removed(lake: Lake, evaluation: Evaluation, contract: Contract, delivery: Delivery) -> tuple[pa.RecordBatch, ...]:
    """Evidence of the rows that a full delivery removes from silver."""
    if evaluation.removal is None:
        return ()
    return tuple(removal_evidence(lake, contract, delivery, evaluation.removal.rows))


def _remove(lake: Lake, evaluation: Evaluation, publication: Publication) -> None:
    """Remove from silver the rows that a full delivery lacks, once their evidence is written."""
    if publication.removed and evaluation.removal is not None:
        lake.delta.remove(lake.path(Zone.SILVER, publication.contract.id), evaluation.removal.rows)
