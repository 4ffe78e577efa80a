"""A benchmark's input and its printing: one line a measure, tab-separated."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field


@dataclass
class Measures:
    """Measured values, printed as they come: name, value, aim, note."""

    lines: list[str] = field(default_factory=list)

    def say(self, name: str, value: float, aim: str, note: str) -> None:
        line = f"{name}\t{value:.2f}\t{aim}\t{note}"
        self.lines.append(line)
        print(line, flush=True)


@contextmanager
def stopwatch(what: str) -> Iterator[list[float]]:
    """Seconds of the block, as the list's only item when it ends; progress goes to standard error."""
    spent: list[float] = []
    start = time.perf_counter()
    yield spent
    spent.append(time.perf_counter() - start)
    print(f"  {what}: {spent[0]:.2f} s", file=sys.stderr, flush=True)
