"""How the streams are doing: figures of each dataset's last batch, its lag, open hours and alarms."""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from jobs.lake.broker import end_offsets, topic
from jobs.lake.lake import Lake
from jobs.lake.stream_ledger import StreamState
from jobs.streams.alarm_store import Alarms

logger = logging.getLogger(__name__)
NAMES = {
    "rows": ("lake_stream_batch_rows", "Messages of the last batch."),
    "new": ("lake_stream_batch_new_rows", "Rows of the last batch that were not known."),
    "rejected": ("lake_stream_batch_rejected_rows", "New rows of the last batch that break a critical rule."),
    "seconds": ("lake_stream_batch_seconds", "Time that the last batch took."),
    "batch": ("lake_stream_batch_number", "Number of the last batch."),
    "kept": ("lake_stream_state_rows", "Readings and keys that the query keeps in memory."),
    "failed": ("lake_stream_batch_failed", "1 where the last batch waits for its hours to be sealed."),
    "lag": ("lake_stream_lag_messages", "Messages in the broker that are not in the lake."),
    "last_event": ("lake_stream_last_event_timestamp_seconds", "Latest event time of the last batch."),
    "last_received": ("lake_stream_last_received_timestamp_seconds", "Latest receipt by the broker of the last batch."),
    "open_hours": ("lake_stream_open_hours", "Hours that are not sealed."),
    "alarms": ("lake_stream_alarms_open", "Alarms that are not cleared."),
}


@dataclass(frozen=True)
class StreamFigures:
    """Figures of one dataset's stream; times in seconds since 1970, 0 where unknown."""

    dataset: str
    rows: int
    new: int
    rejected: int
    seconds: float
    batch: int
    kept: int
    failed: int
    lag: int | None
    """None while the broker does not answer."""
    last_event: float
    last_received: float
    open_hours: int
    alarms: int


def figures(lake: Lake) -> list[StreamFigures]:
    """Figures of every dataset that had a batch."""
    open_hours = Counter(hour.dataset for hour in lake.streams.hours(is_open=True))
    alarms = Counter(alarm.dataset for alarm in Alarms(lake.streams.database).all())
    return [
        StreamFigures(
            dataset=state.dataset,
            rows=state.facts["messages"],
            new=state.facts["new"],
            rejected=state.facts["rejected"],
            seconds=state.facts["seconds"],
            batch=state.batch,
            kept=state.facts.get("kept", 0),
            failed=int(bool(state.facts["error"])),
            lag=_lag(lake, state),
            last_event=_seconds(state.facts["last_event"]),
            last_received=_seconds(state.facts["last_received"]),
            open_hours=open_hours[state.dataset],
            alarms=alarms[state.dataset],
        )
        for state in lake.streams.states()
    ]


def prometheus(found: Iterable[StreamFigures]) -> str:
    """The figures in the text format of Prometheus."""
    return "".join(f"{line}\n" for line in _lines(list(found)))


def _lines(found: list[StreamFigures]) -> Iterator[str]:
    for field, (name, words) in NAMES.items():
        yield f"# HELP {name} {words}"
        yield f"# TYPE {name} gauge"
        known = (one for one in found if getattr(one, field) is not None)
        yield from (f'{name}{{dataset="{one.dataset}"}} {getattr(one, field)}' for one in known)


def _lag(lake: Lake, state: StreamState) -> int | None:
    """Messages after the last one of each partition that the lake has."""
    try:
        ends = end_offsets(lake.settings, topic(lake.settings, state.dataset))
    except Exception as error:  # the broker's client raises its own kinds
        logger.warning("%s: lag unknown: %s", state.dataset, str(error)[:200])
        return None
    known: dict[str, int] = state.facts["offsets"]
    return sum(max(0, end - known.get(str(partition), 0)) for partition, end in ends.items())


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp() if moment else 0.0
