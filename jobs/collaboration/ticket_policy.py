"""Results of a delivery → issues: what a department has to mend. True readings beyond a limit are not sent back."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from jobs.contracts import Contract, Rule, suite_hash
from jobs.model.rule_result import RuleRow
from jobs.model.ticket import Issue

LATE = "delivery_in_time"
OF_A_DELIVERY = "1"
"""Version of the checks of a delivery as a whole."""
VERSION_LENGTH = 16
FIELD_LENGTH = 120


class TicketPolicy(BaseModel):
    """Which results become tickets."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    version: int
    severities: tuple[str, ...]
    business_alarms: tuple[str, ...]
    not_sent_back: tuple[str, ...]
    real_time: tuple[str, ...]


@lru_cache
def ticket_policy(file: Path = Path(__file__).parent / "ticket_policy.yaml") -> TicketPolicy:
    """The choice as the file gives it."""
    return TicketPolicy.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class KnownRows:
    """Rows that fail a rule and that the rule's ticket holds already: `followed` by key, and `keyless` ones of an answer."""

    followed: int = 0
    keyless: int = 0


def rule_versions(rules: Sequence[Rule]) -> dict[str, str]:
    """Version of each rule: the hash of its words."""
    return {rule.id: suite_hash([rule])[:VERSION_LENGTH] for rule in rules}


def issues(
    contract: Contract,
    results: Sequence[RuleRow],
    versions: Mapping[str, str],
    known: Mapping[str, KnownRows],
    is_answer: bool = False,
) -> list[Issue]:
    """An issue for each rule that the delivery breaks. `versions` and `known` are by rule.

    Rows that answer a ticket are some of a delivery's: what is said of deliveries or tables as a whole is not asked of them.
    """
    by = ticket_policy()
    return [
        _issue(contract, one, versions.get(one.rule, OF_A_DELIVERY), known.get(one.rule, KnownRows()), is_answer)
        for one in results
        if _is_fault(one, by) and one.unexpected_count + (not one.success) and (one.rule in known or not is_answer)
    ]


def _is_fault(one: RuleRow, by: TicketPolicy) -> bool:
    is_alarm = one.severity != "critical" and one.indicator in by.business_alarms
    return one.severity in by.severities and one.rule not in by.not_sent_back and not is_alarm


def _issue(contract: Contract, one: RuleRow, version: str, known: KnownRows, is_answer: bool) -> Issue:
    failed = max(1, one.unexpected_count)
    return Issue(
        dataset=one.dataset,
        provider=contract.provider,
        rule=one.rule,
        rule_version=version,
        field=one.fields[:FIELD_LENGTH],
        error_class=_error_class(contract, one),
        severity=one.severity,
        dimension=one.dimension,
        message=one.message,
        remedy=one.remedy,
        basis=one.basis,
        delivery=one.delivery,
        failed_rows=failed,
        checked_rows=one.element_count - one.missing_count,
        core=bool(set(one.fields.split(",")) & set(contract.key())),
        known_rows=known.followed + known.keyless,
        left_rows=failed - known.keyless,
        is_answer=is_answer,
        agreed_days=_agreed_days(contract),
    )


def _error_class(contract: Contract, one: RuleRow) -> str:
    every = re.sub(r"[\d. ]", "", contract.sla.get("frequency", ""))
    if one.rule == LATE and every in ticket_policy().real_time:
        return "feed_down"
    return one.type.removeprefix("expect_")


def _agreed_days(contract: Contract) -> int | None:
    """Working days that the contract agrees on for corrections, such as `5wd`."""
    found = re.fullmatch(r"(\d+) ?wd", contract.sla.get("rectification", ""))
    return int(found[1]) if found else None
