"""Products built: silver → gold, published only where their own critical rules hold."""

import hashlib
import json
import logging
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pyspark.sql import DataFrame

from jobs import quality
from jobs.conform import PLACE, product_columns, product_rows
from jobs.contracts import Contract, Product, Registry
from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.ledger import Build
from jobs.lake.named_rows import NamedRows
from jobs.lake.results import Results
from jobs.lake.session import is_unavailable
from jobs.lake.zones import Zone
from jobs.model.delivery import State
from jobs.pipeline.figure_changes import record, shown_before
from jobs.pipeline.ingestion import AWAITED
from jobs.pipeline.other_tables import all_other_tables
from jobs.pipeline.product_days import (
    EVERY_DAY,
    Days,
    changed_days,
    input_rows,
    of_days,
    partitions,
    period_field,
    refresh_of,
)
from jobs.pipeline.versions import latest_versions
from jobs.products import BUILDERS

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Making:
    """What a build is made from: silver versions, recipe, the days that it replaces, and the build before it."""

    inputs: dict[str, int]
    recipe: str
    days: Days
    last: Build | None


def build(lake: Lake, registry: Registry, product_id: str) -> Build | None:
    """The gold table of a product, where an input has changed and the new rows pass its critical rules; else None."""
    contract = registry.contract(product_id)
    if contract.product is None:
        raise UserError(f"'{product_id}' is not a product; its contract has no `product` property")
    inputs = _inputs(lake, contract, contract.product)
    last, recipe = lake.ledger.build(product_id), _recipe(contract)
    if inputs is None or is_made_of(last, inputs, recipe):
        logger.info("%s: no input has changed since the last build", product_id)
        return None
    days = EVERY_DAY
    if last is not None and last.recipe == recipe:
        changed = changed_days(lake, registry, contract, last, inputs)
        if changed is None:
            lake.ledger.record_build(replace(last, inputs=inputs))
            return None
        days = changed
    making = Making(inputs, recipe, days, last)
    lake.tables.interpret(sum(lake.delta.count(lake.path(Zone.SILVER, name)) for name in inputs), len(contract.fields))
    made = BUILDERS[contract.product.builder](
        input_rows(lake, registry, contract, inputs, making.days), **contract.product.parameters
    )
    return _publish_product(lake, registry, contract, of_days(made, making.days, period_field(contract)), making)


def is_made_of(last: Build | None, inputs: Mapping[str, int], recipe: str) -> bool:
    """Whether the last build was made from these versions, by this recipe."""
    return last is not None and (last.inputs, last.recipe) == (inputs, recipe)


def _inputs(lake: Lake, contract: Contract, product: Product) -> dict[str, int] | None:
    """The newest silver versions of the inputs; None where one that it needs was never delivered."""
    versions = {name: lake.delta.version(lake.path(Zone.SILVER, name)) for name in product.inputs}
    absent = {name for name, version in versions.items() if version is None}
    if absent - set(product.optional):
        logger.info("%s: inputs missing: %s", contract.id, ", ".join(sorted(absent)))
        return None
    return {name: version for name, version in versions.items() if version is not None}


def _recipe(contract: Contract) -> str:
    """What besides the inputs decides a product's rows: the contract's fields and the settings of its transform."""
    settings = contract.product.model_dump(mode="json") if contract.product else {}
    said = [contract.version, settings, [(field.name, field.spark_type()) for field in contract.fields]]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def build_of(lake: Lake, registry: Registry, datasets: Collection[str]) -> list[str]:
    """Ids of the products that were built because one of these inputs has changed; one that fails stops no other."""
    built = []
    for contract in registry.products():
        if contract.product is None or not set(contract.product.inputs) & set(datasets):
            continue
        try:
            finished = build(lake, registry, contract.id)
        except Exception as error:
            if is_unavailable(error):
                raise
            logger.exception("%s: not built", contract.id)
            continue
        built += [] if finished is None else [contract.id]
    return built


def awaited(lake: Lake, registry: Registry, product_id: str) -> list[str]:
    """Deliveries of the inputs that landed a short while ago and have no verdict yet: each of them asks for a build again."""
    product, now = registry.contract(product_id).product, datetime.now(UTC)
    waiting = lake.ledger.deliveries(states=(State.LANDED, State.LOADED))
    inputs = product.inputs if product else ()
    return [one.id for one in waiting if one.dataset in inputs and now - one.received_at < AWAITED]


def _publish_product(
    lake: Lake, registry: Registry, contract: Contract, new_rows: DataFrame, making: Making
) -> Build | None:
    from jobs.quality.evaluation import evaluate  # Great Expectations takes seconds to import
    from jobs.quality.wanted import Wanted

    names = [f.name for f in contract.fields]
    plan = quality.plan(contract, registry.rules[contract.id])
    path = lake.path(Zone.GOLD, contract.id)
    partition = (period_field(contract),) if refresh_of(contract) else ()
    stage = lake.stage(path, partition)
    rows, others = NamedRows.of(product_rows(new_rows, contract)), all_other_tables(lake, latest_versions(lake))
    evaluated = evaluate(rows, plan, others, Wanted((*names, *PLACE)), stage)
    try:
        failed = evaluated.counted["failed"]
        if failed == 0:
            lake.delta.ensure(path, product_columns(contract), f"{contract.title}", partition)
            stage.commit("overwrite", partitions(making.days, period_field(contract)))
    finally:
        evaluated.release()
    finished = _finished(lake, contract, making)
    verdict, results = quality.product_results(contract, finished, evaluated.counted, evaluated.results)
    Results(lake.delta, lake.settings.s3_bucket).write(verdict, results)
    if failed:
        logger.error("%s: %s new rows fail critical rules, the last good version is retained", contract.id, failed)
        return None
    if shown := shown_before(lake, contract, making.last, making.days):
        changed = record(lake, contract, shown, finished, verdict.delivery)
        logger.info("%s: %s figures that were shown are different now", contract.id, changed)
    lake.ledger.record_build(finished)
    return finished


def _finished(lake: Lake, contract: Contract, making: Making) -> Build:
    path = lake.path(Zone.GOLD, contract.id)
    version, rows = lake.tables.version(path), lake.delta.count(path)
    return Build(contract.id, making.inputs, version, rows, datetime.now(UTC), making.recipe)
