"""The hallway: one short function a step, in the order of the way. Each is idempotent by delivery id."""

import logging
import re
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs import contracts, quality
from jobs.conform import (
    PLACE,
    Publication,
    Repair,
    product_columns,
    product_rows,
    publish,
    typed,
    value_columns,
)
from jobs.contracts import MALFORMED, Catalogue, Contract, Rule, suite_hash
from jobs.errors import UserError
from jobs.ingest.land import Landed
from jobs.ingest.land import land as land_new
from jobs.ingest.load import load as load_rows
from jobs.lake.bits import count_true, is_set
from jobs.lake.delivery import Delivery, State
from jobs.lake.lake import Lake, opened
from jobs.lake.ledger import Build
from jobs.lake.results import RULES, VERDICTS, Results, Verdict
from jobs.lake.session import patient
from jobs.lake.zones import Zone
from jobs.settings import Settings

if TYPE_CHECKING:
    from jobs.reporting import ReportFiles

logger = logging.getLogger(__name__)
WATCH_S = 240.0
POLL_S = 1.0
KEEP_HOURS = 90 * 24
KEPT = ("_file", "_row", MALFORMED)


def land(lake: Lake, catalogue: Catalogue) -> tuple[Landed, ...]:
    """What is new in the landing zone, recorded in the ledger."""
    return land_new(lake, {c.id: c.provider for c in catalogue.sources()}, datetime.now(UTC))


def load(lake: Lake, catalogue: Catalogue, delivery_id: str) -> Delivery:
    """A delivery's rows in bronze, or the delivery returned as unreadable."""
    delivery = lake.ledger.get(delivery_id)
    return load_rows(lake, catalogue.contract(delivery.dataset), delivery)


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

    rules = testable(lake, catalogue.rules[contract.id])
    bronze, extras = _bronze(lake, contract, delivery)
    rows, repairs = typed(bronze, contract, extras)
    keep = [*KEPT, *_bit_names(rows), *value_columns(contract, extras)]
    judged = run(rows, quality.plan(contract, rules), partial(_known, lake), keep, _repair_counts(repairs))
    try:
        state, reason = quality.decide(contract, judged.counted, judged.results)
        superseded = _superseded(lake, delivery)
        began_before = lake.ledger.start_conform(delivery.id)
        counted = judged.counted
        publish(
            lake,
            Publication(
                rows=judged.rows,
                rules=judged.rules,
                contract=contract,
                delivery=delivery,
                extras=extras,
                gone=superseded,
                began_before=began_before,
                failed=counted["failed"],
                broken=counted["broken"],
                is_refused=state is State.REFUSED,
            ),
        )
    finally:
        judged.release()
    verdict = Verdict(
        delivery=delivery.id,
        seq=delivery.seq,
        dataset=delivery.dataset,
        provider=delivery.provider,
        state=state,
        rows=counted["rows"],
        good_rows=0 if state is State.REFUSED else counted["rows"] - counted["failed"],
        failed_rows=counted["failed"],
        warned_rows=counted["warned"],
        copies=(delivery.counted_rows or counted["rows"]) - counted["rows"],
        repairs=quality.repair_counts([(r.field, r.kind) for r in repairs], counted),
        suite_hash=suite_hash(rules),
        contract_version=contract.version,
        silver_version=lake.tables.version(lake.path(Zone.SILVER, contract.id)),
        judged_at=datetime.now(UTC),
        reason=reason,
    )
    results.write(verdict, quality.rule_rows(verdict, judged.results))
    lake.ledger.move(delivery.id, state, reason=reason)
    logger.info("%s: delivery %s is %s, %s of %s rows failed", contract.id, delivery.id, state, verdict.failed_rows, verdict.rows)
    return verdict


def testable(lake: Lake, rules: tuple[Rule, ...]) -> tuple[Rule, ...]:
    """The rules that can run now: a reference to a dataset that never came cannot be tested."""
    return tuple(
        rule
        for rule in rules
        if rule.type != quality.REFERENCE or lake.arrow.version(lake.path(Zone.SILVER, rule.kwargs["dataset"])) is not None
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


def _known(lake: Lake, dataset: str, field: str) -> DataFrame:
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


def report(lake: Lake, catalogue: Catalogue, delivery_id: str) -> "ReportFiles":
    """The department's report of one delivery, and the index anew."""
    from jobs.reporting import write_index, write_report

    now = datetime.now(UTC)
    files = write_report(lake, catalogue, delivery_id, now)
    write_index(lake, catalogue, now)
    return files


def build(lake: Lake, catalogue: Catalogue, product_id: str) -> Build | None:
    """The gold table of a product, where an input has changed and the new rows keep its critical rules; else None."""
    contract = catalogue.contract(product_id)
    if contract.product is None:
        raise UserError(f"'{product_id}' is not a product; its contract has no `product` property")
    versions = {name: lake.arrow.version(lake.path(Zone.SILVER, name)) for name in contract.product.inputs}
    absent = sorted(name for name, version in versions.items() if version is None)
    if absent:
        logger.info("%s: waits for %s", product_id, ", ".join(absent))
        return None
    inputs = {name: int(version or 0) for name, version in versions.items()}
    last = lake.ledger.build(product_id)
    if last is not None and last.inputs == inputs:
        logger.info("%s: inputs are as at the last build", product_id)
        return None
    from jobs.products import BUILDERS

    made = BUILDERS[contract.product.builder]({n: lake.tables.read(lake.path(Zone.SILVER, n)) for n in inputs})
    return _publish_product(lake, catalogue, contract, made, inputs)


def _publish_product(
    lake: Lake, catalogue: Catalogue, contract: Contract, made: DataFrame, inputs: dict[str, int]
) -> Build | None:
    from jobs.quality.run import run  # Great Expectations takes seconds to import

    names = [f.name for f in contract.fields]
    plan = quality.plan(contract, catalogue.rules[contract.id])
    judged = run(product_rows(made, contract), plan, partial(_known, lake), [*PLACE, *names], {})
    path = lake.path(Zone.GOLD, contract.id)
    try:
        failed = judged.counted["failed"]
        if failed == 0:
            lake.tables.ensure(path, product_columns(contract), f"{contract.title}")
            lake.tables.overwrite(judged.rows.select(*names), path)
    finally:
        judged.release()
    now, version = datetime.now(UTC), lake.tables.version(path)
    done = Build(contract.id, inputs, version, judged.counted["rows"], now)
    Results(lake.arrow, lake.settings.s3_bucket).write(*quality.product_results(contract, done, judged.counted, judged.results))
    if failed:
        logger.error("%s: %s new rows break critical rules, the last good version stays", contract.id, failed)
        return None
    lake.ledger.record_build(done)
    return done


def pending(lake: Lake, catalogue: Catalogue, dataset: str, *asked: str) -> list[str]:
    """Ids to work on, in order of arrival: those asked for, and any of the dataset that are not judged yet."""
    catalogue.contract(dataset)
    waiting = [d.id for d in lake.ledger.deliveries(dataset, states=(State.LANDED, State.LOADED))]
    wanted = {*asked, *waiting}
    return [d.id for d in lake.ledger.deliveries(dataset) if d.id in wanted]


def watch(lake: Lake, catalogue: Catalogue) -> list[tuple[str, str]]:
    """(dataset, id) of new deliveries that have a contract, as soon as there are any; empty after a quiet while."""
    deadline = time.monotonic() + WATCH_S
    while time.monotonic() < deadline:
        landed = [(one.delivery.dataset, one.delivery.id) for one in land(lake, catalogue) if one.is_new]
        if landed:
            return [(dataset, delivery) for dataset, delivery in landed if dataset in catalogue.contracts]
        time.sleep(POLL_S)
    return []


def reports(lake: Lake, catalogue: Catalogue, *delivery_ids: str) -> list[str]:
    """Keys of the reports of several deliveries; the index is written once."""
    from jobs.reporting import write_index, write_report

    now = datetime.now(UTC)
    keys = [write_report(lake, catalogue, delivery_id, now).html for delivery_id in delivery_ids]
    write_index(lake, catalogue, now)
    return keys


def upkeep(lake: Lake, catalogue: Catalogue) -> list[str]:
    """Compact all tables, and remove files that no version of the last 90 days needs."""
    names = [c.id for c in catalogue.sources()]
    for zone, name in [(Zone.BRONZE, n) for n in names] + [(Zone.RESULTS, VERDICTS), (Zone.RESULTS, RULES)]:
        lake.arrow.compact(lake.path(zone, name), KEEP_HOURS)
    made = [(z, n) for n in names for z in (Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE)]
    made += [(Zone.GOLD, c.id) for c in catalogue.products()]
    kept = [lake.path(zone, name) for zone, name in made if lake.arrow.version(lake.path(zone, name)) is not None]
    for path in kept:
        lake.tables.compact(path, KEEP_HOURS)
    return [str(path) for path in kept]


STEPS: Mapping[str, Callable[..., Any]] = {
    step.__name__: step for step in (land, load, conform, report, build, pending, watch, reports, upkeep)
}


def run(settings: Settings, step: str, *arguments: str) -> Any:
    """The outcome of a step by name, on a lake of its own; waits and goes on where S3 or Spark is away for a while."""
    catalogue = contracts.load(settings.schemas, settings.expectations)
    with opened(settings) as lake:

        def attempt() -> Any:
            lake.forget_engine()
            return STEPS[step](lake, catalogue, *arguments)

        return patient(attempt, settings.wait_s)()


def ask(lake: Lake, query: str) -> DataFrame:
    """The rows of a SQL query in which tables go by name: silver.<dataset>, gold.<product>, …"""
    for zone, name in set(re.findall(r"\b(bronze|silver|quarantine|evidence|results|gold)\.`?(\w+)`?", query)):
        path = lake.path(Zone(zone), name)
        if lake.arrow.version(path) is None:
            raise UserError(f"no table {path} yet; `lake tables` lists those that there are")
        lake.tables.register(path)
    return lake.tables.spark.sql(query)


def explain(lake: Lake, plan: quality.Plan) -> list[str]:
    """The passes of a plan in words; compiles the rules on the engine, reads no data."""
    from jobs.quality.conditions import compile_rules
    from jobs.quality.judge import empty_rows

    compiled = compile_rules(plan, empty_rows(lake.spark, plan))
    lines = [f"{plan.contract.id}: {plan.table_reads()} read(s) of the delivery, {len(compiled.fused)} fused rules"]
    lines.append(f"  pass 1: cast, {len(compiled.fused)} conditions in one mask, counts, silver | quarantine | evidence")
    for group in plan.groups:
        what = f"rule {group.rule.id}" if group.rule else "fully equal rows"
        lines.append(f"  group-by {', '.join(group.columns) or 'row hash'}: {what}")
    for reference in plan.references:
        lines.append(f"  look-up in silver.{reference.dataset}.{reference.field}: rule {reference.rule.id}")
    for rule, _, reason in compiled.through_gx:
        lines.append(f"  through Great Expectations itself: rule {rule.id} ({reason})")
    return lines
