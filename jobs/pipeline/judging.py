"""Deliveries judged: bronze → silver | quarantine, with results and evidence."""

import logging
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs import quality
from jobs.conform import Publication, Repair, publish, typed, value_columns
from jobs.contracts import MALFORMED, Catalogue, Contract, Rule, suite_hash
from jobs.lake.bits import count_true, is_set
from jobs.lake.delivery import Delivery, State
from jobs.lake.lake import Lake
from jobs.lake.results import Results, Verdict
from jobs.lake.zones import Zone

if TYPE_CHECKING:
    from jobs.quality.run import Judged

logger = logging.getLogger(__name__)
KEPT = ("_file", "_row", MALFORMED)


def conform(lake: Lake, catalogue: Catalogue, delivery_id: str) -> Verdict:
    """Bronze rows of one delivery to silver, or to quarantine with their reasons; one pass."""
    delivery = lake.ledger.get(delivery_id)
    contract = catalogue.contract(delivery.dataset)
    results = Results(lake.arrow, lake.settings.s3_bucket)
    if delivery.state in (State.LANDED, State.UNREADABLE):
        verdict = quality.unreadable(contract, delivery, datetime.now(UTC))
        results.write(verdict, [])
        return verdict
    from jobs.quality.run import run  # Great Expectations takes seconds to import

    lake.tables.interpret(delivery.counted_rows or 0)
    rules = testable(lake, catalogue.rules[contract.id])
    bronze, extras = _bronze(lake, contract, delivery)
    rows, repairs = typed(bronze, contract, extras)
    keep = [*KEPT, *_bit_names(rows), *value_columns(contract, extras)]
    judged = run(rows, quality.plan(contract, rules), partial(known, lake), keep, _repair_counts(repairs))
    try:
        decision = quality.decide(contract, judged.counted, judged.results)
        _publish(lake, judged, contract, delivery, extras, decision.is_refused())
    finally:
        judged.release()
    verdict = quality.verdict_on(
        contract,
        delivery,
        decision,
        quality.Basis(suite_hash(rules), lake.tables.version(lake.path(Zone.SILVER, contract.id)), datetime.now(UTC)),
        judged.counted,
        quality.repair_counts([(r.field, r.kind) for r in repairs], judged.counted),
    )
    results.write(verdict, quality.rule_rows(verdict, judged.results))
    lake.ledger.move(delivery.id, verdict.state, reason=verdict.reason)
    logger.info("%s: delivery %s is %s, %s rows failed", contract.id, delivery.id, verdict.state, verdict.failed_rows)
    return verdict


def _publish(
    lake: Lake, judged: "Judged", contract: Contract, delivery: Delivery, extras: tuple[str, ...], is_refused: bool
) -> None:
    """The tables of a decision; a refused correction replaces nothing."""
    from jobs.quality.suggest import suggested

    superseded = () if is_refused else _superseded(lake, delivery)
    publication = Publication(
        rows=judged.rows,
        rules=judged.rules,
        contract=contract,
        delivery=delivery,
        extras=extras,
        gone=superseded,
        began_before=lake.ledger.start_conform(delivery.id),
        failed=judged.counted["failed"],
        broken=judged.counted["broken"],
        is_refused=is_refused,
        suggest=suggested,
    )
    publish(lake, publication)
    lake.ledger.supersede(superseded, delivery.id)


def testable(lake: Lake, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules that can run now: a reference to a dataset that never came cannot be tested."""
    return tuple(
        rule
        for rule in rules
        if rule.type != quality.REFERENCE
        or lake.arrow.version(lake.path(Zone.SILVER, rule.kwargs["dataset"])) is not None
    )


def _bronze(lake: Lake, contract: Contract, delivery: Delivery) -> tuple[DataFrame, tuple[str, ...]]:
    """The delivery's bronze rows with every field of the contract, and the names of evolved extra columns."""
    rows = lake.tables.read(lake.path(Zone.BRONZE, contract.id)).filter(F.col("_delivery") == delivery.id)
    fields = {f.name for f in contract.fields}
    for name in sorted(f.name for f in contract.fields if not f.is_computed() and f.name not in rows.columns):
        rows = rows.withColumn(name, F.lit(None).cast("string"))
    system = (*KEPT, "_delivery")
    extras = tuple(c for c in rows.columns if c not in fields and c not in system)
    return rows, extras if contract.layout.extra_columns == "evolve" else ()


def known(lake: Lake, dataset: str, field: str) -> DataFrame:
    silver = lake.tables.read(lake.path(Zone.SILVER, dataset))
    return silver.select(F.col(field).alias("value")).distinct()


def _bit_names(rows: DataFrame) -> list[str]:
    return [name for name in rows.columns if name.startswith(("_fix", "_clock"))]


def _repair_counts(repairs: tuple[Repair, ...]) -> dict[str, Column]:
    early = [r for r in repairs if not r.kind.startswith("clock_")]
    found = {}
    for index in range(len(repairs)):
        prefix, place = ("_fix", index) if index < len(early) else ("_clock", index - len(early))
        found[f"fix{index}"] = count_true(is_set(place, prefix))
    return found


def _superseded(lake: Lake, delivery: Delivery) -> tuple[str, ...]:
    """The deliveries that this one replaces, and those that they replaced."""
    found: list[str] = []
    older = delivery.supersedes
    while older and older not in found:
        found.append(older)
        older = lake.ledger.get(older).supersedes
    return tuple(found)
