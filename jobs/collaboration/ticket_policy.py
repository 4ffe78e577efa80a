"""Results of a delivery → issues for the department to correct. True readings beyond a limit are not sent back."""

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
    """The policy in the file."""
    return TicketPolicy.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))


@dataclass(frozen=True)
class KnownRows:
    """Rows that fail a rule and are in the rule's ticket already: `followed` by key, and `keyless` ones of an answer."""

    followed: int = 0
    keyless: int = 0


def rule_versions(rules: Sequence[Rule]) -> dict[str, str]:
    """Version of each rule: the hash of its definition."""
    return {rule.id: suite_hash([rule])[:VERSION_LENGTH] for rule in rules}


def without_alarms(results: Sequence[RuleRow], rules: Sequence[Rule]) -> list[RuleRow]:
    """The results without those of rules that raise alarms: what they find is true, and for an authority to act on."""
    alarms = {rule.id for rule in rules if rule.alarm is not None}
    return [result for result in results if result.rule not in alarms]


def issues(
    contract: Contract,
    results: Sequence[RuleRow],
    versions: Mapping[str, str],
    known: Mapping[str, KnownRows],
    is_answer: bool = False,
) -> list[Issue]:
    """An issue for each rule that the delivery breaks. `versions` and `known` are by rule.

    An answer holds only some of a delivery's rows: rules about whole deliveries or tables do not apply to it.
    """
    by = ticket_policy()
    return [
        _issue(
            contract, result, versions.get(result.rule, OF_A_DELIVERY), known.get(result.rule, KnownRows()), is_answer
        )
        for result in results
        if _is_fault(result, by)
        and result.unexpected_count + (not result.success)
        and (result.rule in known or not is_answer)
    ]


def _is_fault(result: RuleRow, by: TicketPolicy) -> bool:
    is_alarm = result.severity != "critical" and result.indicator in by.business_alarms
    return result.severity in by.severities and result.rule not in by.not_sent_back and not is_alarm


def _issue(contract: Contract, result: RuleRow, version: str, known: KnownRows, is_answer: bool) -> Issue:
    failed = max(1, result.unexpected_count)
    return Issue(
        dataset=result.dataset,
        provider=contract.provider,
        rule=result.rule,
        rule_version=version,
        field=result.fields[:FIELD_LENGTH],
        error_class=_error_class(contract, result),
        severity=result.severity,
        dimension=result.dimension,
        message=result.message,
        remedy=result.remedy,
        basis=result.basis,
        delivery=result.delivery,
        failed_rows=failed,
        checked_rows=result.element_count - result.missing_count,
        core=bool(set(result.fields.split(",")) & set(contract.key())),
        known_rows=known.followed + known.keyless,
        left_rows=failed - known.keyless,
        is_answer=is_answer,
        agreed_days=_agreed_days(contract),
    )


def _error_class(contract: Contract, result: RuleRow) -> str:
    frequency = re.sub(r"[\d. ]", "", contract.sla.get("frequency", ""))
    if result.rule == LATE and frequency in ticket_policy().real_time:
        return "feed_down"
    return result.type.removeprefix("expect_")


def _agreed_days(contract: Contract) -> int | None:
    """Working days that the contract agrees on for corrections, such as `5wd`."""
    match = re.fullmatch(r"(\d+) ?wd", contract.sla.get("rectification", ""))
    return int(match[1]) if match else None
