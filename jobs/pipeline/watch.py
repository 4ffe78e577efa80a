"""The watch: asset events for deliveries that landed, and again for those whose events were lost."""

import logging
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial

from jobs import contracts
from jobs.contracts import Registry
from jobs.contracts.assets import LANDING, RESULTS, SILVER
from jobs.ingest.land import land_page
from jobs.ingest.landing import Landing
from jobs.lake.lake import Lake, opened
from jobs.model.delivery import Delivery, State
from jobs.pipeline.ingestion import AWAITED, formerly_unknown, waiting_again
from jobs.pipeline.step import check_put_if_absent
from jobs.settings import Settings, load

logger = logging.getLogger(__name__)
Events = dict[str, list[str]]
"""Ids of deliveries by asset."""

REMIND_S = 60.0
STALLED_S = 240.0
"""A delivery that landed and waits longer for its verdict may have lost its event: its recorder, or its task, died."""

HELD_S = AWAITED.total_seconds() + 60
"""Products waited for such a delivery so long, and are told to wait no longer."""

LOST_S = 60.0
"""The same of a delivery with a verdict that waits for its tickets."""


class Watch:
    """Looks at the landing zone and the ledger of one lake, again and again."""

    def __init__(
        self, lake: Lake, registry: Callable[[], Registry], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lake, self._registry, self._clock = lake, registry, clock
        self._landing = Landing(lake)
        self._reminders = Reminders()
        self._remind_at = clock()

    @property
    def is_through(self) -> bool:
        """Whether the whole landing zone was looked at, not only one page of several."""
        return self._landing.is_through

    def look(self) -> Events:
        """The events due. One page of the landing zone is read: one request, and no query where nothing on it is new."""
        events = self._landed()
        if self._clock() >= self._remind_at:
            self._remind_at = self._clock() + REMIND_S
            for asset, delivery_id in self._reminders.due(unfinished(self._lake, self._registry()), self._clock()):
                events[asset].append(delivery_id)
        return dict(events)

    def _landed(self) -> Events:
        """What landed; where one cannot be recorded, what landed before it, and the next look meets the failure."""
        events: Events = defaultdict(list)
        try:
            for landed in land_page(self._lake, self._landing, lambda: self._registry().providers(), datetime.now(UTC)):
                found = waiting_again(self._lake, self._registry(), landed)
                if (found.is_new or found.waits_again) and found.delivery.state is State.LANDED:
                    events[LANDING.format(dataset=found.delivery.dataset)].append(found.delivery.id)
        except Exception as error:
            if not events:
                raise
            logger.warning("not everything that landed could be recorded: %s", str(error).split("\n")[0][:200])
        return events


@dataclass(frozen=True)
class Reminder:
    """When an event is told again; `usual`: seconds after which it counted as lost, `pause`: until it is told once more."""

    usual: float
    due: float
    pause: float


class Reminders:
    """When to tell again what may have been lost: after a while, then after twice as long, and so on."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], Reminder] = {}

    def due(self, waiting: Mapping[tuple[str, str], float], now: float) -> list[tuple[str, str]]:
        """Events to be told now. `waiting`: seconds from the moment when one is first seen to wait until it counts as lost."""
        first = {event: Reminder(usual, now + usual, max(2 * usual, REMIND_S)) for event, usual in waiting.items()}
        known = {e: r for e, r in self._known.items() if e in first and first[e].usual == r.usual}
        self._known = first | known
        told = [event for event, reminder in self._known.items() if reminder.due <= now]
        for event in told:
            last = self._known[event]
            self._known[event] = Reminder(last.usual, now + last.pause, 2 * last.pause)
        return told


def unfinished(lake: Lake, registry: Registry) -> dict[tuple[str, str], float]:
    """(asset, delivery) of what the ledger lists as unfinished, with the seconds that this is usual."""
    known = registry.providers()
    waiting = lake.ledger.deliveries(states=(State.LANDED, State.LOADED))
    found = {_landed(one): 0.0 for one in formerly_unknown(lake) if one.dataset in known}
    found |= {_landed(one): STALLED_S for one in waiting if one.dataset in known}
    found |= {(SILVER.format(dataset=one.dataset), one.id): HELD_S for one in waiting if one.dataset in known}
    for one in lake.ledger.ungoverned():
        if one.dataset in registry.contracts:
            found[SILVER.format(dataset=one.dataset), one.id] = found[RESULTS, one.id] = LOST_S
    return found


def _landed(delivery: Delivery) -> tuple[str, str]:
    return LANDING.format(dataset=delivery.dataset), delivery.id


def watch(lake: Lake, registry: Registry) -> list[tuple[str, str]]:
    """(asset, delivery) of one look at the whole landing zone, and of what is unfinished for too long."""
    looking = Watch(lake, lambda: registry)
    looks = [looking.look()]
    while not looking.is_through:
        looks.append(looking.look())
    return [(asset, one) for events in looks for asset, ids in events.items() for one in ids]


def fresh_settings() -> Settings:
    """The settings as they are now: a service may have come back at another address."""
    load.cache_clear()
    return load()


def watched(settings: Callable[[], Settings] = fresh_settings) -> Iterator[tuple[Events, bool]]:
    """What each look finds, without end, and whether it ended the landing zone. After a failure a new lake is opened."""
    while True:
        try:
            own = settings()
            with opened(own) as lake:
                check_put_if_absent(lake)
                looking = Watch(lake, partial(contracts.load_usable, own.schemas, own.expectations))
                while True:
                    events = looking.look()
                    yield events, looking.is_through
        except Exception as error:  # the watch outlives every service that it needs
            logger.warning("the watch could not look: %s: %s", type(error).__name__, str(error).split("\n")[0][:200])
            yield {}, True
