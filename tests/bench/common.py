"""A benchmark's input and its printing: one line a measure, tab-separated."""

import sys
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Measures:
    """Measured values, printed as they come: name, value, aim, note."""

    lines: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def say(self, name: str, value: float, aim: str, note: str) -> None:
        line = f"{name}\t{value:.2f}\t{aim}\t{note}"
        self.lines.append(line)
        print(line, flush=True)

    @contextmanager
    def attempt(self, measure: str) -> Iterator[None]:
        """Print the error of a measure that fails, and remember its name."""
        try:
            yield
        except Exception:
            traceback.print_exc()
            self.failed.append(measure)

    def keep(self, file: Path, is_whole: bool) -> None:
        """Write the lines; those of an earlier run stay where this one did not measure everything."""
        known = {}
        if file.exists() and (self.failed or not is_whole):
            known = {_name(line): line for line in file.read_text("utf-8").splitlines()}
        lines = known | {_name(line): line for line in self.lines}
        file.write_text("\n".join(lines.values()) + "\n", "utf-8")


def _name(line: str) -> str:
    return line.split("\t", 1)[0]


@contextmanager
def stopwatch(what: str) -> Iterator[list[float]]:
    """Seconds of the block, as the list's only item when it ends; progress goes to standard error."""
    spent: list[float] = []
    start = time.perf_counter()
    yield spent
    spent.append(time.perf_counter() - start)
    print(f"  {what}: {spent[0]:.2f} s", file=sys.stderr, flush=True)
