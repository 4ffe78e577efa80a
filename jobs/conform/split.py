"""Judged rows → silver, quarantine and evidence rows; pure, the writes are the lake's."""

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from jobs.conform.cast import SYSTEM
from jobs.contracts import Contract, Rule
from jobs.lake.bits import any_set, is_set
from jobs.lake.delivery import Delivery

MASK = "_mask"
SILVER_SYSTEM = {
    "_delivery": ("string", "批次号"),
    "_seq": ("bigint", "批次到达顺序，后到者优先"),
    "_file": ("string", "来源文件"),
    "_row": ("bigint", "来源文件中的行号"),
    "_marks": ("array<string>", "未通过但不拦截的规则编号"),
}


def value_columns(contract: Contract, extras: Sequence[str]) -> list[str]:
    """Names of a silver row's data columns: fields, qualifiers of censored fields, evolved extras."""
    names = []
    for field in contract.fields:
        names.append(field.name)
        if field.source.censored:
            names.append(f"{field.name}_qualifier")
    return [*names, *extras]


def silver_rows(judged: DataFrame, rules: Sequence[Rule], values: Sequence[str], delivery: Delivery) -> DataFrame:
    """Rows that break no critical rule, with the warnings that they carry."""
    warnings = [i for i, rule in enumerate(rules) if rule.severity == "warning"]
    marks = F.array_compact(F.array(*(F.when(is_set(i, MASK), F.lit(rules[i].id)) for i in warnings)))
    marked = F.when(any_set(warnings, MASK), marks) if warnings else F.lit(None)
    good = judged.filter(~any_set(_critical(rules), MASK))
    return good.select(
        *values,
        F.lit(delivery.id).alias("_delivery"),
        F.lit(delivery.seq).cast("bigint").alias("_seq"),
        "_file",
        "_row",
        marked.cast("array<string>").alias("_marks"),
    )


def quarantine_rows(judged: DataFrame, rules: Sequence[Rule], delivery: Delivery) -> DataFrame:
    """Rows that break a critical rule, as they were sent, with the rules that they break."""
    critical = _critical(rules)
    reasons = F.array_compact(F.array(*(F.when(is_set(i, MASK), F.lit(rules[i].id)) for i in critical)))
    return judged.filter(any_set(critical, MASK)).select(
        F.lit(delivery.id).alias("_delivery"),
        "_file",
        "_row",
        F.to_json("_raw").alias("raw"),
        reasons.alias("reasons"),
    )


def evidence_rows(judged: DataFrame, rules: Sequence[Rule], contract: Contract, delivery: Delivery) -> DataFrame:
    """One row for each rule that a row breaks, of any severity, with the text that was sent."""
    arrived = _arrived(judged)
    found = [
        F.when(
            is_set(index, MASK),
            F.struct(
                F.lit(rule.id).alias("rule"),
                F.lit(rule.severity).alias("severity"),
                F.lit(",".join(rule.fields)).alias("field"),
                _sent(rule, arrived).alias("value"),
            ),
        )
        for index, rule in enumerate(rules)
    ]
    key = (
        F.to_json(F.struct(*(F.col(name).cast("string").alias(name) for name in contract.key())))
        if contract.key()
        else F.lit(None)
    )
    broken = judged.filter(any_set(range(len(rules)), MASK))
    each = broken.select(
        "_file", "_row", key.cast("string").alias("key"), F.explode(F.array_compact(F.array(*found))).alias("e")
    )
    return each.select(F.lit(delivery.id).alias("_delivery"), "_file", "_row", "key", "e.*")


def _critical(rules: Sequence[Rule]) -> list[int]:
    return [i for i, rule in enumerate(rules) if rule.severity == "critical"]


def _arrived(judged: DataFrame) -> set[str]:
    raw = judged.schema["_raw"].dataType
    return set(raw.fieldNames())


def _sent(rule: Rule, arrived: set[str]) -> Column:
    """The text of the rule's fields as sent; several are joined with ' | '."""
    texts = [F.col("_raw").getField(name) if name in arrived else F.col(name).cast("string") for name in rule.fields]
    if not texts:
        return F.lit(None).cast("string")
    return texts[0] if len(texts) == 1 else F.concat_ws(" | ", *(F.coalesce(t, F.lit("（空）")) for t in texts))


__all__ = ["SILVER_SYSTEM", "SYSTEM", "evidence_rows", "quarantine_rows", "silver_rows", "value_columns"]
