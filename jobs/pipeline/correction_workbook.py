"""The workbook of a ticket: masked for all readers but the owner; filled in, it returns as a redelivery."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import file_digest
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.dataset as ds
from deltalake import DeltaTable

from jobs.access.rights import may_deliver
from jobs.access.roles import reads_as_sent
from jobs.contracts import Contract, Registry, Rule
from jobs.contracts.names import BRONZE_OWN
from jobs.errors import NotAllowed, PolicyRefusal
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.row_filter import rows_of_id
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.model.ticket import Ticket
from jobs.pipeline.open_rows import requested_rows
from jobs.pipeline.recheck import RecheckRequest, can_follow
from jobs.pipeline.ticket_store import open_tickets
from jobs.reporting.correction_rows import SentRows
from jobs.reporting.correction_workbook import WorkbookHead, write_correction_workbook
from jobs.reporting.evidence import Evidence, EvidenceLine

PLACE = ("_file", "_row", "rule", "key")


def ticket_workbook(lake: Lake, registry: Registry, ticket_id: str, actor: Actor) -> bytes:
    """The ticket's workbook; with values and rows as sent where the data is the actor's department's."""
    with open_tickets(lake, registry) as tickets:
        ticket = tickets.ticket(ticket_id, actor, datetime.now(UTC))
        open_rows = [rows for rows in tickets.open_rows(ticket.dataset) if rows.ticket == ticket_id]
        found_at = {delivery.delivery: delivery.seen_at for delivery in tickets.ticket_deliveries(ticket_id, actor)}
    contract = registry.contract(ticket.dataset)
    rules = {rule.id: rule for rule in registry.rules[contract.id]}
    requests = requested_rows(lake, contract, rules, open_rows)
    open_deliveries = [OpenDelivery(contract, rules.get(request.rule), request) for request in requests]
    is_owner = reads_as_sent(actor, contract.provider)
    with TemporaryDirectory(prefix="lake-workbook-") as folder:
        file = Path(folder) / "workbook.xlsx"
        problems = _problems(lake, open_deliveries, is_owner)
        sent = _sent(lake, contract, open_deliveries) if is_owner else None
        write_correction_workbook(file, _head(lake, ticket, found_at), contract, problems, sent)
        return file.read_bytes()


def answer_ticket(lake: Lake, registry: Registry, ticket_id: str, actor: Actor, file: Path) -> str:
    """Put a filled workbook, or a corrected file, into the landing zone as a redelivery of the ticket; its key there."""
    with open_tickets(lake, registry) as tickets:
        ticket = tickets.ticket(ticket_id, actor, datetime.now(UTC))
    contract = registry.contract(ticket.dataset)
    if not may_deliver(actor, contract.provider):
        raise NotAllowed(f"{contract.title}是{contract.department}的数据，工单 {ticket_id} 的整改数据只能由该单位报送")
    if ticket.kind != "issue":
        raise PolicyRefusal(f"工单 {ticket_id} 不是质检问题，没有整改包；请按办理步骤答复")
    notes = Manifest(sender=actor.name, answers=[ticket_id])
    with TemporaryDirectory(prefix="lake-answer-") as folder, file.open("rb") as opened:
        named = Path(folder) / f"{ticket_id}_{file_digest(opened, 'sha256').hexdigest()[:8]}{file.suffix}"
        shutil.copyfile(file, named)  # two answers with one name would overwrite each other
        (key,) = deliver(lake.store, [named], contract.id, contract.provider, notes)
    return key


def _head(lake: Lake, ticket: Ticket, found_at: Mapping[str, datetime]) -> WorkbookHead:
    return WorkbookHead(
        ticket=ticket.id,
        rule=ticket.rule,
        fields=tuple(name for name in ticket.field.split(",") if name),
        message=ticket.message,
        remedy=ticket.remedy,
        basis=ticket.basis,
        dimension=ticket.dimension,
        severity=ticket.severity,
        remaining=ticket.remaining_rows,
        opened_at=ticket.opened_at,
        due_at=ticket.clock.due_at if ticket.clock else None,
        zone=lake.settings.timezone,
        found_at=found_at,
    )


@dataclass(frozen=True)
class OpenDelivery:
    """Rows of one delivery that the ticket still waits for."""

    contract: Contract
    rule: Rule | None
    request: RecheckRequest

    def matching(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """These rows in a batch of evidence."""
        is_open = [rule == self.request.rule and self._waits_for(key) for rule, key in _pairs(batch)]
        return batch.filter(pa.array(is_open, pa.bool_()))

    def _waits_for(self, key: str | None) -> bool:
        if key in self.request.keys:
            return True
        return bool(self.request.keyless) and not can_follow(self.contract, self.rule, key or "")


def _pairs(batch: pa.RecordBatch) -> Iterator[tuple[str, str | None]]:
    return zip(batch["rule"].to_pylist(), batch["key"].to_pylist(), strict=True)


def _problems(
    lake: Lake, open_deliveries: Sequence[OpenDelivery], is_owner: bool
) -> Iterator[tuple[str, EvidenceLine]]:
    for open_delivery in open_deliveries:
        evidence = Evidence(lake, open_delivery.contract, open_delivery.request.delivery, for_owner=is_owner)
        for row in evidence.rows(open_delivery.request.rule, open_delivery.matching):
            yield open_delivery.request.delivery, row


def _sent(lake: Lake, contract: Contract, open_deliveries: Sequence[OpenDelivery]) -> SentRows | None:
    """The rows to be corrected from bronze, read batch by batch; None where the dataset has no bronze table."""
    bronze = lake.delta.open(lake.path(Zone.BRONZE, contract.id))
    if bronze is None:
        return None
    columns = [f.name for f in bronze.schema().fields if f.name not in BRONZE_OWN]
    return SentRows(columns, _rows(lake, bronze, open_deliveries, columns))


def _rows(
    lake: Lake, bronze: DeltaTable, open_deliveries: Sequence[OpenDelivery], columns: list[str]
) -> Iterator[Mapping[str, str | None]]:
    for open_delivery in open_deliveries:
        places: dict[str, list[int]] = {}
        for batch in Evidence(lake, open_delivery.contract, open_delivery.request.delivery, for_owner=True).batches(
            PLACE
        ):
            matching = open_delivery.matching(batch)
            for file, row in zip(matching["_file"].to_pylist(), matching["_row"].to_pylist(), strict=True):
                places.setdefault(file, []).append(row)
        delivery_rows = rows_of_id(lake.ledger, open_delivery.request.delivery)
        dataset = delivery_rows.dataset(bronze)
        for file, rows in places.items():
            of_file = delivery_rows.expression(bronze) & (ds.field("_file") == file)
            for batch in dataset.to_batches(columns=columns, filter=of_file & ds.field("_row").isin(rows)):
                yield from batch.to_pylist()
