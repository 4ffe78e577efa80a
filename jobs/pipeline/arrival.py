"""Deliveries on their way in: noticed, recorded, read into bronze. No engine is needed here."""

import time
from datetime import UTC, datetime, timedelta

from jobs.contracts import Catalogue
from jobs.ingest.land import UNKNOWN, Landed
from jobs.ingest.land import land as land_new
from jobs.lake.delivery import Delivery, State
from jobs.lake.lake import Lake

WATCH_S = 240.0
POLL_S = 1.0


def land(lake: Lake, catalogue: Catalogue) -> tuple[Landed, ...]:
    """What is new in the landing zone, recorded in the ledger."""
    return land_new(lake, catalogue.providers(), datetime.now(UTC))


def watch(lake: Lake, catalogue: Catalogue) -> list[tuple[str, str]]:
    """(dataset, id) of new deliveries that have a contract, as soon as there are any; after a quiet while, those left.

    First come those that were here before their contract was.
    """
    known_now = [(d.dataset, d.id) for d in _once_unknown(lake) if d.dataset in catalogue.providers()]
    if known_now:
        return known_now
    deadline = time.monotonic() + WATCH_S
    while time.monotonic() < deadline:
        landed = [(one.delivery.dataset, one.delivery.id) for one in land(lake, catalogue) if one.is_new]
        if landed:
            return [(dataset, delivery) for dataset, delivery in landed if dataset in catalogue.providers()]
        time.sleep(POLL_S)
    return _left(lake, catalogue)


def _left(lake: Lake, catalogue: Catalogue) -> list[tuple[str, str]]:
    """Deliveries that landed some while ago and went no further: whoever recorded them died before saying so."""
    before = datetime.now(UTC) - timedelta(seconds=WATCH_S)
    landed = lake.ledger.deliveries(states=(State.LANDED,))
    return [(d.dataset, d.id) for d in landed if d.received_at < before and d.dataset in catalogue.providers()]


def _once_unknown(lake: Lake, dataset: str | None = None) -> list[Delivery]:
    """Deliveries that were sent back only because their dataset had no contract; reading one replaces that finding."""
    returned = lake.ledger.deliveries(dataset, states=(State.UNREADABLE,))
    return [d for d in returned if any(finding.kind == UNKNOWN for finding in d.findings)]


def pending(lake: Lake, catalogue: Catalogue, dataset: str, *asked: str) -> list[str]:
    """Ids to work on, in order of arrival: those asked for, and any of the dataset that are not judged yet."""
    catalogue.contract(dataset)
    waiting = lake.ledger.deliveries(dataset, states=(State.LANDED, State.LOADED))
    wanted = {*asked, *(d.id for d in (*waiting, *_once_unknown(lake, dataset)))}
    return [d.id for d in lake.ledger.deliveries(dataset) if d.id in wanted]


def load(lake: Lake, catalogue: Catalogue, delivery_id: str) -> Delivery:
    """A delivery's rows in bronze, or the delivery returned as unreadable."""
    from jobs.ingest.load import load as load_rows  # pyarrow and the readers, wanted by this step alone

    delivery = lake.ledger.get(delivery_id)
    return load_rows(lake, catalogue.contract(delivery.dataset), delivery)
