"""What the demo does at each moment: a line that moves on a terminal; where output is a pipe, a line for each change."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.markup import escape
from rich.status import Status

QUIET_S = 10.0
"""On a pipe an unchanged state is printed again after so long, so that nobody takes it for a halt."""


class Progress:
    """Lines with the seconds since the beginning."""

    def __init__(self, console: Console | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._clock, self._begun = clock, clock()
        self._status: Status | None = None
        self._printed = ("", 0.0)

    def seconds(self) -> float:
        """Seconds since the beginning."""
        return self._clock() - self._begun

    def say(self, text: str) -> None:
        """A line that stays."""
        self._console.print(escape(f"[{self.seconds():4.0f} s] {text}"))
        self._printed = (text, self.seconds())

    def show(self, text: str) -> None:
        """Print the current progress; a terminal shows it in place of the last line."""
        if self._status is not None:
            self._status.update(escape(f"[{self.seconds():4.0f} s] {text}"))
        elif text != self._printed[0] or self.seconds() - self._printed[1] >= QUIET_S:
            self.say(text)

    @contextmanager
    def moving(self) -> Iterator[None]:
        """While the block runs, `show` has a line of its own on a terminal."""
        if not self._console.is_terminal:
            yield
            return
        with self._console.status("") as self._status:
            yield
        self._status = None
