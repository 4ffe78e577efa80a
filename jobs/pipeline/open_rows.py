"""Rows that open tickets still wait for, with their keys."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from jobs.collaboration.ticket_policy import OF_A_DELIVERY
from jobs.contracts import Contract, Rule
from jobs.lake.lake import Lake
from jobs.model.ticket import OpenRows
from jobs.pipeline.failed_rows import failed_rows, redelivered_keys
from jobs.pipeline.recheck import RecheckRequest, can_follow


def requested_rows(
    lake: Lake, contract: Contract, rules: Mapping[str, Rule], open_now: Sequence[OpenRows], but: str = ""
) -> list[RecheckRequest]:
    """Open rows of tickets with their keys, without those that came again already; what `but` brought does not count."""
    of_rows = [one for one in open_now if one.rule_version != OF_A_DELIVERY]
    failed = {name: failed_rows(lake, contract, name) for name in {one.delivery for one in of_rows}}
    again = redelivered_keys(lake, contract, but) if of_rows else {}
    found = []
    for one in open_now:
        rows = failed.get(one.delivery, {}).get(one.rule, {})
        gone = again.get((one.ticket, one.delivery), set())
        plain = RecheckRequest(one.ticket, one.rule, one.rule_version, one.delivery)
        made = request_for(contract, rules.get(one.rule), plain, {k: n for k, n in rows.items() if k not in gone})
        keyless = max(0, one.left_rows - sum(made.keys.values())) if rows else 0
        found.append(replace(made, keyless=min(keyless, made.keyless)))
    return found


def request_for(
    contract: Contract, rule: Rule | None, asked: RecheckRequest, rows: Mapping[str, int]
) -> RecheckRequest:
    """The question with its rows, those apart that cannot be followed by their key."""
    keys = {key: number for key, number in rows.items() if can_follow(contract, rule, key)}
    keyless = sum(number for key, number in rows.items() if key not in keys)
    return RecheckRequest(asked.ticket, asked.rule, asked.rule_version, asked.delivery, keys, keyless)
