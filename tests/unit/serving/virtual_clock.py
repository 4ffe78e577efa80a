"""An event loop whose clock jumps to the next timer when nothing else is to be done: hours pass at once."""

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Jumping(selectors.DefaultSelector):  # type: ignore[misc, valid-type]
    """Waits for sockets and threads where there is no timer, and for no timer at all."""

    now = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout:
            self.now += timeout
            timeout = 0
        return super().select(timeout)


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop on such a clock."""

    def __init__(self) -> None:
        self.selector = Jumping()
        super().__init__(self.selector)

    def time(self) -> float:
        return float(self.selector.now)


def virtual(work: Coroutine[Any, Any, T]) -> T:
    """What the work returns; its time is the loop's."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)
