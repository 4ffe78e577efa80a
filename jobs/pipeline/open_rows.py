"""Open rows of tickets, with their keys."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from jobs.collaboration.ticket_policy import OF_A_DELIVERY
from jobs.contracts import Contract, Rule
from jobs.lake.lake import Lake
from jobs.model.ticket import OpenRows
from jobs.pipeline.failed_rows import failed_rows, redelivered_keys
from jobs.pipeline.recheck import RecheckRequest, can_follow


def requested_rows(
    lake: Lake, contract: Contract, rules: Mapping[str, Rule], open_rows: Sequence[OpenRows], except_by: str = ""
) -> list[RecheckRequest]:
    """Open rows of tickets with their keys, without rows redelivered already by a delivery other than `except_by`."""
    row_tickets = [rows for rows in open_rows if rows.rule_version != OF_A_DELIVERY]
    failed = {name: failed_rows(lake, contract, name) for name in {rows.delivery for rows in row_tickets}}
    redelivered = redelivered_keys(lake, contract, except_by) if row_tickets else {}
    requests = []
    for rows in open_rows:
        failed_by_key = failed.get(rows.delivery, {}).get(rows.rule, {})
        settled = redelivered.get((rows.ticket, rows.delivery), set())
        open_by_key = {key: number for key, number in failed_by_key.items() if key not in settled}
        plain = RecheckRequest(rows.ticket, rows.rule, rows.rule_version, rows.delivery)
        request = request_for(contract, rules.get(rows.rule), plain, open_by_key)
        keyless = max(0, rows.left_rows - sum(request.keys.values())) if failed_by_key else 0
        requests.append(replace(request, keyless=min(keyless, request.keyless)))
    return requests


def request_for(
    contract: Contract, rule: Rule | None, request: RecheckRequest, rows: Mapping[str, int]
) -> RecheckRequest:
    """The request with its rows; those that cannot be followed by their key are only counted."""
    keys = {key: number for key, number in rows.items() if can_follow(contract, rule, key)}
    keyless = sum(number for key, number in rows.items() if key not in keys)
    return RecheckRequest(request.ticket, request.rule, request.rule_version, request.delivery, keys, keyless)
