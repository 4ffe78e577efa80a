"""Seconds from a redelivery of 100,000 failed keys among 2 M rows to its closed ticket, warm."""

from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pc

from jobs.collaboration import TicketQuery
from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.model.actor import SYSTEM
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from jobs.pipeline.ticket_store import open_tickets
from jobs.pipeline.tickets import govern
from tests.bench.checked_write import write_contract, write_input
from tests.bench.common import Measures, stopwatch
from tests.bench.recheck import FAILED, broken

ROUNDS = 2


def measure(lake: Lake, folder: Path, measures: Measures, rows: int = 2_000_000) -> None:
    """Round by round: a delivery with 100,000 bad rows, its ticket, and those rows mended and sent again."""
    registry = write_contract(folder)
    spent = []
    for number in range(ROUNDS):
        good, bad, again = (folder / f"{name}{number}.csv" for name in ("good", "bad", "again"))
        write_input(good, rows, 7 + number)
        every = max(rows // FAILED, 1)
        broken(good, bad, every)
        _each(good, again, every)
        (ticket,) = _done(lake, registry, bad)
        with stopwatch(f"redelivery to closed, round {number + 1}") as seconds:
            _done(lake, registry, again, ticket)
        spent.append(seconds[0])
        with open_tickets(lake) as tickets:
            state = tickets.tickets(SYSTEM, TicketQuery(text=ticket), datetime.now(UTC)).tickets[0].state
        if state != "closed":
            raise RuntimeError(f"ticket {ticket} is {state}")
    note = f"land, load, conform, govern; {FAILED:,} keys of {rows:,} rows; rounds {', '.join(f'{s:.1f}' for s in spent)} s"
    measures.say("redelivery_to_closed_s", spent[-1], "≤ 60", note)


def _each(source: Path, target: Path, every: int) -> None:
    texts = pc.ConvertOptions(column_types={"count": pa.string()})
    table = pc.read_csv(source, convert_options=texts)
    pc.write_csv(table.take(list(range(0, table.num_rows, every))), target, pc.WriteOptions(quoting_style="needed"))


def _done(lake: Lake, registry: Registry, file: Path, *answers: str) -> tuple[str, ...]:
    """Ids of the tickets about the band of `count`, after the whole way of a delivery."""
    deliver(lake.store, [file], "wide", "bench", Manifest(answers=list(answers)))
    (landed,) = [one for one in land(lake, registry) if one.is_new]
    load(lake, registry, landed.delivery.id)
    conform(lake, registry, landed.delivery.id)
    done = govern(lake, registry, landed.delivery.id)
    return tuple(t for t in done.tickets if _is_of_range(lake, t))


def _is_of_range(lake: Lake, ticket: str) -> bool:
    with open_tickets(lake) as tickets:
        return tickets.ticket(ticket, SYSTEM, datetime.now(UTC)).rule == "count_range"
