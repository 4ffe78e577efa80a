"""Products built: silver → gold, published only where their own critical rules hold."""

import logging
from collections.abc import Collection
from datetime import UTC, datetime

from pyspark.sql import DataFrame

from jobs import quality
from jobs.conform import PLACE, product_columns, product_rows
from jobs.contracts import Contract, Registry
from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.ledger import Build
from jobs.lake.named_rows import NamedRows
from jobs.lake.results import Results
from jobs.lake.session import is_unavailable
from jobs.lake.zones import Zone
from jobs.model.delivery import State
from jobs.pipeline.ingestion import AWAITED
from jobs.pipeline.other_tables import all_other_tables
from jobs.pipeline.versions import latest_versions
from jobs.products import BUILDERS

logger = logging.getLogger(__name__)


def build(lake: Lake, registry: Registry, product_id: str) -> Build | None:
    """The gold table of a product, where an input has changed and the new rows pass its critical rules; else None."""
    contract = registry.contract(product_id)
    if contract.product is None:
        raise UserError(f"'{product_id}' is not a product; its contract has no `product` property")
    inputs = {n: v for n in contract.product.inputs if (v := lake.delta.version(lake.path(Zone.SILVER, n))) is not None}
    absent = set(contract.product.inputs) - set(inputs)
    if absent:
        logger.info("%s: inputs missing: %s", product_id, ", ".join(sorted(absent)))
        return None
    last = lake.ledger.build(product_id)
    if last is not None and last.inputs == inputs:
        logger.info("%s: inputs unchanged since the last build", product_id)
        return None
    lake.tables.interpret(sum(lake.delta.count(lake.path(Zone.SILVER, name)) for name in inputs), len(contract.fields))
    rows = BUILDERS[contract.product.builder]({n: lake.tables.read(lake.path(Zone.SILVER, n)) for n in inputs})
    return _publish_product(lake, registry, contract, rows, inputs)


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
    lake: Lake, registry: Registry, contract: Contract, new_rows: DataFrame, inputs: dict[str, int]
) -> Build | None:
    from jobs.quality.evaluation import evaluate  # Great Expectations takes seconds to import
    from jobs.quality.wanted import Wanted

    names = [f.name for f in contract.fields]
    plan = quality.plan(contract, registry.rules[contract.id])
    path = lake.path(Zone.GOLD, contract.id)
    stage = lake.stage(path)
    rows, others = NamedRows.of(product_rows(new_rows, contract)), all_other_tables(lake, latest_versions(lake))
    evaluated = evaluate(rows, plan, others, Wanted((*names, *PLACE)), stage)
    try:
        failed = evaluated.counted["failed"]
        if failed == 0:
            lake.delta.ensure(path, product_columns(contract), f"{contract.title}")
            stage.commit(mode="overwrite")
    finally:
        evaluated.release()
    now, version = datetime.now(UTC), lake.tables.version(path)
    finished_build = Build(contract.id, inputs, version, evaluated.counted["rows"], now)
    Results(lake.delta, lake.settings.s3_bucket).write(
        *quality.product_results(contract, finished_build, evaluated.counted, evaluated.results)
    )
    if failed:
        logger.error("%s: %s new rows fail critical rules, the last good version is retained", contract.id, failed)
        return None
    lake.ledger.record_build(finished_build)
    return finished_build
