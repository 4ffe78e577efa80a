"""What stands open, as a table beside the data: readers see which rows are under a ticket, a request or an objection."""

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from itertools import count
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from jobs.collaboration import TicketQuery, Tickets
from jobs.contracts import Contract
from jobs.lake.lake import Lake
from jobs.lake.results import TICKETS
from jobs.lake.system_tables import SystemTable, system_table
from jobs.lake.zones import Zone
from jobs.model.actor import SYSTEM
from jobs.model.ticket import Ticket

PAGE = 500
SEPARATORS = re.compile(r"\s*[,，;；]\s*")


def record_hash(record: str) -> str:
    """What stands for the record that somebody named: SHA-256 of its key's values, joined by commas."""
    return hashlib.sha256(",".join(_named(record)).encode()).hexdigest()


def _named(record: str) -> list[str]:
    """Values of the key, or of its first fields, as somebody wrote them down."""
    return SEPARATORS.split(record.strip())


def write_ticket_table(lake: Lake, contract: Contract, tickets: Tickets, now: datetime) -> None:
    """The dataset's open tickets in `results.tickets`, in place of those before: one row a delivery that is left, or a request."""
    path, table, rows = lake.path(Zone.RESULTS, TICKETS), system_table(TICKETS), list(_rows(contract, tickets, now))
    if _stands(lake.delta.open(path), table, contract.id, rows):
        return
    batches = pa.Table.from_pylist(rows, schema=table.schema).to_batches()
    lake.delta.replace(path, table, batches, contract.id)


def _stands(existing: DeltaTable | None, table: SystemTable, dataset: str, rows: list[dict[str, Any]]) -> bool:
    """Whether the table tells just this already; then it gets no version more."""
    names = table.schema.names
    if existing is None or not set(names) <= {field.name for field in existing.schema().fields}:
        return False
    kept = existing.to_pyarrow_table(columns=names, filters=[(table.replace_by, "=", dataset)]).to_pylist()
    wanted = [dict.fromkeys(names) | row for row in rows]
    return sorted(map(repr, kept)) == sorted(map(repr, ({name: row[name] for name in names} for row in wanted)))


def _rows(contract: Contract, tickets: Tickets, now: datetime) -> Iterator[dict[str, Any]]:
    open_ = {one.id: one for one in _open(contract.id, tickets, now)}
    for left in tickets.open_rows(contract.id):
        if left.ticket in open_:
            one = open_[left.ticket]
            yield _row(one, rule=left.rule, delivery=left.delivery, message=one.message)
    state_machine, key = tickets.state_machine(), contract.key()
    for one in open_.values():
        if one.kind not in state_machine.machine_found and one.record:
            fields = key[: len(_named(one.record))]
            named = {"record": record_hash(one.record), "key_fields": ",".join(fields)}
            yield _row(one, rule="", message=state_machine.kinds[one.kind], **named)


def _row(one: Ticket, **more: Any) -> dict[str, Any]:
    common = {"ticket": one.id, "kind": one.kind, "dataset": one.dataset, "severity": one.severity, "state": one.label}
    return common | {"due_at": one.clock.due_at if one.clock else None} | more


def _open(dataset: str, tickets: Tickets, now: datetime) -> Iterator[Ticket]:
    for page in count(1):
        found = tickets.tickets(SYSTEM, TicketQuery(dataset=dataset, is_open=True, page=page, size=PAGE), now)
        yield from found.tickets
        if page * PAGE >= found.total:
            return
