"""Deliveries judged: bronze → silver | quarantine, with results and evidence."""

import logging
from datetime import UTC, datetime

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
from jobs.pipeline.ingestion import is_unread, load
from jobs.pipeline.restoration import OverwrittenRows, Withdrawal, chain_of, replaced_by
from jobs.pipeline.versions import latest_versions

logger = logging.getLogger(__name__)


def conform(lake: Lake, registry: Registry, delivery_id: str) -> Verdict:
    """Bronze rows of one delivery to silver, or to quarantine with their reasons; one pass. What is not loaded is loaded first."""
    delivery = lake.ledger.get(delivery_id)
    if is_unread(delivery):
        delivery = load(lake, registry, delivery_id)
    contract = registry.contract(delivery.dataset)
    results = Results(lake.delta, lake.settings.s3_bucket)
    if delivery.state is State.UNREADABLE:
        verdict = quality.unreadable(contract, delivery, datetime.now(UTC))
        results.write(verdict, delivery_checks(lake, contract, delivery, verdict))
        return verdict
    versions = latest_versions(lake)
    rules = runnable_rules(lake, registry.rules[contract.id], versions)
    this = evaluate_delivery(lake, contract, delivery, rules, versions)
    try:
        decision = this.decision(contract, delivery)
        _publish(lake, this, contract, delivery, decision.is_refused())
    finally:
        this.judged.release()
    verdict = quality.verdict_on(
        contract,
        delivery,
        decision,
        quality.Basis(suite_hash(rules), lake.tables.version(lake.path(Zone.SILVER, contract.id)), datetime.now(UTC)),
        quality.RowCounts(this.judged.counted, this.repair_counts()),
    )
    counties = quality.county_rows(verdict, this.judged.counties)
    rows = [
        *quality.rule_rows(verdict, this.judged.results),
        *delivery_checks(lake, contract, delivery, verdict),
    ]
    from jobs.quality.distribution import distribution_rows

    results.write(verdict, rows, counties, distribution_rows(verdict, this.judged.shape))
    lake.ledger.move(delivery.id, verdict.state, reason=verdict.reason)
    logger.info("%s: delivery %s is %s, %s rows failed", contract.id, delivery.id, verdict.state, verdict.failed_rows)
    return verdict


def _publish(lake: Lake, this: Evaluation, contract: Contract, delivery: Delivery, is_refused: bool) -> None:
    """The tables of a decision; a refused correction replaces nothing, and what was withdrawn uncovers what lay beneath."""
    from jobs.quality.suggest import suggested

    everything = lake.ledger.deliveries(contract.id)
    replaced = chain_of(delivery, {one.id: one for one in everything})
    began_before = lake.ledger.start_conform(delivery.id)
    gone, back = ((), replaced if began_before else ()) if is_refused else (replaced, ())
    leaving = (delivery.id, *gone) if began_before else gone
    beneath = OverwrittenRows(lake, contract, this.judged.rules, Withdrawal(delivery, leaving, back))
    publication = Publication(
        rows=this.judged.rows,
        rules=this.judged.rules,
        contract=contract,
        delivery=delivery,
        extras=this.extras,
        gone=gone,
        began_before=began_before,
        failed=this.judged.counted["failed"],
        broken=this.judged.counted["broken"],
        is_refused=is_refused,
        suggest=suggested,
        is_replaced=delivery.superseded_by is not None,
        back=back,
        beneath=beneath.rows,
    )
    try:
        publish(lake, publication)
    finally:
        beneath.release()
    if is_refused:
        lake.ledger.reinstate(delivery.id, replaced_by(everything, delivery.id))
    elif not publication.is_replaced:
        lake.ledger.supersede(gone, delivery.id)
