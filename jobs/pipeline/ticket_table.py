"""Open tickets as a table next to the data: readers see which rows have a ticket, a request or an objection."""

import hashlib
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable

from jobs.collaboration import TicketQuery, Tickets
from jobs.contracts import Contract
from jobs.lake.lake import Lake
from jobs.lake.results import TICKETS
from jobs.lake.system_tables import SystemTable, system_table
from jobs.lake.zones import Zone
from jobs.model.ticket import Ticket
from jobs.pipeline.ticket_store import open_ones

SEPARATORS = re.compile(r"\s*[,，;；]\s*")


def record_hash(record: str) -> str:
    """Hash of the record that a person named: SHA-256 of its key's values, joined by commas."""
    return hashlib.sha256(",".join(_named(record)).encode()).hexdigest()


def _named(record: str) -> list[str]:
    """Values of the key, or of its first fields, as a person wrote them."""
    return SEPARATORS.split(record.strip())


def write_ticket_table(lake: Lake, contract: Contract, tickets: Tickets, now: datetime) -> None:
    """Write the dataset's open tickets to `results.tickets`, replacing earlier rows: one row per open delivery, or per request."""
    path, table, rows = lake.path(Zone.RESULTS, TICKETS), system_table(TICKETS), list(_rows(contract, tickets, now))
    if _is_current(lake.delta.open(path), table, contract.id, rows):
        return
    batches = pa.Table.from_pylist(rows, schema=table.schema).to_batches()
    lake.delta.replace(path, table, batches, contract.id)


def _is_current(existing: DeltaTable | None, table: SystemTable, dataset: str, rows: list[dict[str, Any]]) -> bool:
    """Whether the table has exactly these rows already, so that no new version is needed."""
    names = table.schema.names
    if existing is None or not set(names) <= {field.name for field in existing.schema().fields}:
        return False
    stored = existing.to_pyarrow_table(columns=names, filters=[(table.replace_by, "=", dataset)]).to_pylist()
    expected = [dict.fromkeys(names) | row for row in rows]
    return sorted(map(repr, stored)) == sorted(map(repr, ({name: row[name] for name in names} for row in expected)))


def _rows(contract: Contract, tickets: Tickets, now: datetime) -> Iterator[dict[str, Any]]:
    open_tickets = {ticket.id: ticket for ticket in open_ones(tickets, TicketQuery(dataset=contract.id), now)}
    for rows in tickets.open_rows(contract.id):
        if rows.ticket in open_tickets:
            ticket = open_tickets[rows.ticket]
            yield _row(ticket, rule=rows.rule, delivery=rows.delivery, message=ticket.message)
    state_machine, key = tickets.state_machine(), contract.key()
    by_people = set(state_machine.kinds_about_data()) - set(state_machine.machine_found)
    for ticket in open_tickets.values():
        if ticket.kind in by_people and ticket.record:
            fields = key[: len(_named(ticket.record))]
            named = {"record": record_hash(ticket.record), "key_fields": ",".join(fields)}
            yield _row(ticket, rule="", message=state_machine.kinds[ticket.kind], **named)


def _row(ticket: Ticket, **columns: Any) -> dict[str, Any]:
    common = {
        "ticket": ticket.id,
        "kind": ticket.kind,
        "dataset": ticket.dataset,
        "severity": ticket.severity,
        "state": ticket.label,
    }
    return common | {"due_at": ticket.clock.due_at if ticket.clock else None} | columns
