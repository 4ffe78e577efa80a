"""Where each group of numbers in a report comes from."""

from dataclasses import dataclass

from jobs.reporting.delivery.facts import Facts


@dataclass(frozen=True)
class Source:
    """A table at a version, and the rules that its numbers rest on."""

    what: str
    table: str
    version: int | None
    suite_hash: str


def sources(facts: Facts) -> list[Source]:
    """The sources of all numbers, in the order of the report."""
    dataset, suite, versions = facts.delivery.dataset, facts.suite_hash(), facts.versions
    silver = facts.verdict.silver_version if facts.verdict else -1
    evidence, quarantine = f"evidence.{dataset}", f"quarantine.{dataset}"
    return [
        Source("文件、大小、申报与实收行数、读取时的发现", "ledger.deliveries", None, ""),
        Source("状态、行数、规范化次数", "results.verdicts", versions.get("results.verdicts"), suite),
        Source("各规则的检查数与未通过数、得分", "results.rules", versions.get("results.rules"), suite),
        Source("各字段的均值和取值占比（与以往相比）", "results.shapes", versions.get("results.shapes"), suite),
        Source("问题明细", evidence, versions.get(evidence), suite),
        Source("隔离的行", quarantine, versions.get(quarantine), suite),
        Source("入库的行", f"silver.{dataset}", silver if silver >= 0 else None, suite),
    ]
