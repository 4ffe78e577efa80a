"""Judged rows into silver, quarantine and evidence; each write replaces or merges, never doubles."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyspark.sql import DataFrame

from jobs.conform.split import SILVER_SYSTEM, evidence_rows, quarantine_rows, silver_rows, value_columns
from jobs.contracts import Contract, Rule
from jobs.lake.delivery import Delivery
from jobs.lake.lake import Lake
from jobs.lake.spark_tables import ColumnSpec, Merge
from jobs.lake.zones import Zone

HELD = {
    "_delivery": ("string", "批次号"),
    "_file": ("string", "来源文件"),
    "_row": ("bigint", "来源文件中的行号"),
}
QUARANTINE = {**HELD, "raw": ("string", "原始行（JSON）"), "reasons": ("array<string>", "未通过的规则编号")}
EVIDENCE = {
    **HELD,
    "key": ("string", "业务主键（JSON）"),
    "rule": ("string", "规则编号"),
    "severity": ("string", "严重级"),
    "field": ("string", "字段"),
    "value": ("string", "报送的原值"),
}


@dataclass(frozen=True)
class Publication:
    """What is to be published: judged rows of one delivery, and what is known of earlier tries."""

    rows: DataFrame
    rules: Sequence[Rule]
    contract: Contract
    delivery: Delivery
    extras: Sequence[str]
    gone: tuple[str, ...]
    began_before: bool
    failed: int
    broken: int
    is_refused: bool


def publish(lake: Lake, what: Publication) -> None:
    """Write the three tables; at once, since none reads another."""
    steps: list[Callable[[Lake, Publication], None]] = []
    if not what.is_refused or what.began_before:
        steps.append(_silver)
    if what.failed or what.began_before:
        steps.append(_quarantine)
    if what.broken or what.began_before:
        steps.append(_evidence)
    with ThreadPoolExecutor(max_workers=3) as pool:
        for done in [pool.submit(step, lake, what) for step in steps]:
            done.result()


def silver_columns(contract: Contract, extras: Sequence[str] = ()) -> list[ColumnSpec]:
    """Columns of a silver table with Chinese comments and units."""
    specs = []
    for field in contract.fields:
        specs.append(ColumnSpec(field.name, field.spark_type(), field.words()))
        if field.source.censored:
            specs.append(ColumnSpec(f"{field.name}_qualifier", "string", f"{field.title}的限定符（<、>）"))
    specs.extend(ColumnSpec(name, "string", "契约外的列，原样保留") for name in extras)
    return [*specs, *(ColumnSpec(n, kind, words) for n, (kind, words) in SILVER_SYSTEM.items())]


def _silver(lake: Lake, what: Publication) -> None:
    contract, delivery = what.contract, what.delivery
    path = lake.path(Zone.SILVER, contract.id)
    is_new = lake.tables.ensure(
        path,
        silver_columns(contract, what.extras),
        f"{contract.title}（{contract.department}）",
        contract.write.partition_by,
    )
    rows = silver_rows(what.rows, what.rules, value_columns(contract, what.extras), delivery)
    if what.is_refused:
        rows = rows.limit(0)
    if is_new or not contract.key():
        lake.tables.replace_any(rows, path, (delivery.id, *what.gone))
    else:
        latest = contract.write.mode == "merge"
        again = delivery.id if what.began_before else ""
        lake.tables.merge(rows, path, Merge(contract.key(), latest, what.gone, again))


def _quarantine(lake: Lake, what: Publication) -> None:
    path = lake.path(Zone.QUARANTINE, what.contract.id)
    specs = [ColumnSpec(n, kind, words) for n, (kind, words) in QUARANTINE.items()]
    lake.tables.ensure(path, specs, f"{what.contract.title}：隔离区", ("_delivery",))
    lake.tables.replace(quarantine_rows(what.rows, what.rules, what.delivery), path, what.delivery.id)


def _evidence(lake: Lake, what: Publication) -> None:
    path = lake.path(Zone.EVIDENCE, what.contract.id)
    specs = [ColumnSpec(n, kind, words) for n, (kind, words) in EVIDENCE.items()]
    lake.tables.ensure(path, specs, f"{what.contract.title}：问题证据", ("_delivery",))
    rows = evidence_rows(what.rows, what.rules, what.contract, what.delivery)
    lake.tables.replace(rows, path, what.delivery.id)
