"""Deliveries judged: bronze → silver | quarantine, with results and evidence."""

import logging
from datetime import UTC, datetime

from jobs import quality
from jobs.conform import Publication, publish
from jobs.contracts import Catalogue, Contract, suite_hash
from jobs.lake.delivery import Delivery, State
from jobs.lake.lake import Lake
from jobs.lake.results import Results, Verdict
from jobs.lake.zones import Zone
from jobs.pipeline.handing import handover
from jobs.pipeline.trying import Tried, testable, tried
from jobs.pipeline.versions import newest

logger = logging.getLogger(__name__)


def conform(lake: Lake, catalogue: Catalogue, delivery_id: str) -> Verdict:
    """Bronze rows of one delivery to silver, or to quarantine with their reasons; one pass."""
    delivery = lake.ledger.get(delivery_id)
    contract = catalogue.contract(delivery.dataset)
    results = Results(lake.arrow, lake.settings.s3_bucket)
    if delivery.state in (State.LANDED, State.UNREADABLE):
        verdict = quality.unreadable(contract, delivery, datetime.now(UTC))
        results.write(verdict, handover(lake, contract, delivery, verdict))
        return verdict
    versions = newest(lake)
    rules = testable(lake, catalogue.rules[contract.id], versions)
    this = tried(lake, contract, delivery, rules, versions)
    try:
        decision = quality.decide(contract, this.judged.counted, this.judged.results, delivery.is_answer())
        _publish(lake, this, contract, delivery, decision.is_refused())
    finally:
        this.judged.release()
    verdict = quality.verdict_on(
        contract,
        delivery,
        decision,
        quality.Basis(suite_hash(rules), lake.tables.version(lake.path(Zone.SILVER, contract.id)), datetime.now(UTC)),
        this.judged.counted,
        this.repair_counts(),
    )
    counties = quality.county_rows(verdict, this.judged.counties)
    rows = [
        *quality.rule_rows(verdict, this.judged.results),
        *handover(lake, contract, delivery, verdict),
    ]
    from jobs.quality.shape import shape_rows

    results.write(verdict, rows, counties, shape_rows(verdict, this.judged.shape))
    lake.ledger.move(delivery.id, verdict.state, reason=verdict.reason)
    logger.info("%s: delivery %s is %s, %s rows failed", contract.id, delivery.id, verdict.state, verdict.failed_rows)
    return verdict


def _publish(lake: Lake, this: Tried, contract: Contract, delivery: Delivery, is_refused: bool) -> None:
    """The tables of a decision; a refused correction replaces nothing."""
    from jobs.quality.suggest import suggested

    superseded = () if is_refused else _superseded(lake, delivery)
    publication = Publication(
        rows=this.judged.rows,
        rules=this.judged.rules,
        contract=contract,
        delivery=delivery,
        extras=this.extras,
        gone=superseded,
        began_before=lake.ledger.start_conform(delivery.id),
        failed=this.judged.counted["failed"],
        broken=this.judged.counted["broken"],
        is_refused=is_refused,
        suggest=suggested,
    )
    publish(lake, publication)
    lake.ledger.supersede(superseded, delivery.id)


def _superseded(lake: Lake, delivery: Delivery) -> tuple[str, ...]:
    """The deliveries that this one replaces, and those that they replaced."""
    found: list[str] = []
    older = delivery.supersedes
    while older and older not in found:
        found.append(older)
        older = lake.ledger.get(older).supersedes
    return tuple(found)
