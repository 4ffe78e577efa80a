"""Numbered readings in requests, the same for the same seed: most good, some wrong, late, or sent twice."""

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

STATIONS, HOURS = 50, 8
IN_REQUEST = 5
WRONG, LATE, TWICE = 0.04, 0.03, 0.04
"""Shares: of readings that break a rule, of those of an earlier hour, of requests that come again."""
Reading = dict[str, Any]


@dataclass(frozen=True)
class Request:
    """What is sent at once. `number`: the sender's own, for the header Idempotency-Key."""

    number: str
    readings: tuple[Reading, ...]

    def body(self) -> bytes:
        """The list of readings as JSON."""
        return json.dumps(self.readings).encode()


@dataclass(frozen=True)
class Plan:
    """The requests of one dataset in the order of sending."""

    requests: tuple[Request, ...]

    def total(self) -> int:
        """How many readings are sent on purpose."""
        return sum(len(request.readings) for request in self.requests)

    def messages(self) -> dict[tuple[str, str], int]:
        """Number and text of every message, with how many times it is sent on purpose."""
        counts: dict[tuple[str, str], int] = {}
        for request in self.requests:
            for place, reading in enumerate(request.readings, 1):
                message = (f"{request.number}/{place}", json.dumps(reading))
                counts[message] = counts.get(message, 0) + 1
        return counts

    def good(self) -> set[tuple[str, str]]:
        """Station and time of the readings that belong in silver."""
        every = (reading for request in self.requests for reading in request.readings)
        return {(r["station"], r["read_at"]) for r in every if is_good(r)}


def is_good(reading: Reading) -> bool:
    """Whether a reading breaks no critical rule."""
    return reading["station"] is not None and has_time(reading) and reading["temp_c"] < 150


def has_time(reading: Reading) -> bool:
    """Whether the reading says when it was measured; else it belongs to the hour of its receipt."""
    return not reading["read_at"].startswith("never")


def plan_of(seed: int, requests: int, end: datetime) -> Plan:
    """Requests whose readings go through `HOURS` hours before `end`."""
    return Plan(tuple(_requests(random.Random(seed), requests, end - timedelta(hours=HOURS))))


def _requests(dice: random.Random, count: int, begin: datetime) -> Iterator[Request]:
    due: dict[int, list[Request]] = {}
    new = _Readings(dice, begin)
    for number in range(count):
        request = Request(f"r{number}", tuple(new.of(number, number * HOURS // count)))
        yield request
        # All of it again, under the same number: it is known within the hour, which must not depend on the receipt.
        if dice.random() < TWICE and all(map(has_time, request.readings)):
            due.setdefault(min(number + dice.randint(1, 30), count - 1), []).append(request)
        yield from due.pop(number, ())


class _Readings:
    """The readings of one request after the other."""

    def __init__(self, dice: random.Random, begin: datetime) -> None:
        self._dice, self._begin = dice, begin
        self._earlier: list[Reading] = []
        self._places = [0] * HOURS

    def of(self, request: int, current: int) -> list[Reading]:
        """The readings of a request, most of the current hour."""
        dice = self._dice
        readings = [self._one(request * IN_REQUEST + place, current) for place in range(IN_REQUEST)]
        again = [dice.choice(self._earlier)] if self._earlier and dice.random() < TWICE else []  # another number
        self._earlier = [*filter(is_good, readings), *self._earlier][:500]
        return readings + again

    def _one(self, number: int, current: int) -> Reading:
        hour = self._dice.randrange(current) if current and self._dice.random() < LATE else current
        self._places[hour] += 1
        return _reading(self._dice, self._begin + timedelta(hours=hour), self._places[hour] - 1, number)


def _reading(dice: random.Random, hour: datetime, place: int, number: int) -> Reading:
    """A reading; its temperature has the number in its decimal places."""
    at = hour + timedelta(seconds=place // STATIONS * 10 % 3600, milliseconds=place // STATIONS // 360)
    temp = 60 + number / 1_000_000
    reading: Reading = {
        "station": f"S{place % STATIONS:02d}",
        "read_at": at.isoformat(timespec="milliseconds"),
        "temp_c": temp if dice.random() > WRONG else temp - 35,  # below the return: a warning
        "return_c": 40.0,
    }
    if dice.random() < WRONG:
        field, value = dice.choice([("station", None), ("read_at", f"never {number}"), ("temp_c", temp + 400)])
        reading[field] = value
    return reading
