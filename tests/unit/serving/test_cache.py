"""A cached value: how old it may be, and who waits for a new one."""

from itertools import count
from threading import Event

import pytest

from jobs.serving import cache
from jobs.serving.cache import CachedValue


def test_a_value_is_read_again_ahead_of_its_time_and_nobody_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    at, numbers, may_read, was_read = [0.0], count(1), Event(), Event()
    monkeypatch.setattr(cache, "monotonic", lambda: 100 + at[0])

    def read() -> int:
        number = next(numbers)
        if number > 1:
            may_read.wait()
            was_read.set()
        return number

    value = CachedValue(read, 2.0, ahead=0.5)
    assert value.get() == 1
    at[0] = 0.9
    assert value.get() == 1
    at[0] = 1.1
    assert [value.get(), value.get()] == [1, 1]
    may_read.set()
    was_read.wait()
    at[0] = 2.05
    while value.get() == 1:
        pass
    assert value.get() == 2


def test_a_value_that_is_too_old_is_read_again_first(monkeypatch: pytest.MonkeyPatch) -> None:
    at, numbers = [0.0], count(1)
    monkeypatch.setattr(cache, "monotonic", lambda: 100 + at[0])
    value = CachedValue(lambda: next(numbers), 2.0)
    assert [value.get(), value.get()] == [1, 1]
    at[0] = 2.0
    assert value.get() == 2
