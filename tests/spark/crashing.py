"""Run as a program: one step of the pipeline, in a process that is killed at a chosen point.

python -m tests.spark.crashing POINT STEP ARGUMENT…
"""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

from jobs.lake.ledger import Ledger
from jobs.lake.results import Results
from jobs.lake.staging import Stage
from jobs.pipeline import bronze
from jobs.pipeline.steps import STEPS
from jobs.reporting import report_store
from jobs.settings import load

publish: Any = import_module("jobs.conform.publish")  # its package gives the function of this name
loading: Any = import_module("jobs.ingest.load")


def die(*_: object, **__: object) -> None:
    """As the kernel does it when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def in_the_middle(batches: Callable[..., Iterator[Any]]) -> Callable[..., Iterator[Any]]:
    """Batches that end with the process, after the first."""

    def some(*arguments: Any) -> Iterator[Any]:
        yield next(batches(*arguments))
        die()

    return some


def after(step: Callable[..., None]) -> Callable[..., None]:
    """The step, and then the end."""

    def run(*arguments: Any) -> None:
        step(*arguments)
        die()

    return run


def never(*_: object) -> None:
    """A write that does not come to its end before the process does."""
    threading.Event().wait()


def arrange(point: str) -> None:
    """Put the end of the process at the point."""
    match point:
        case "copied":
            Ledger.record = die  # type: ignore[method-assign,assignment]
        case "writing":
            loading._stamped = in_the_middle(loading._stamped)
        case "written":
            Ledger.move = die  # type: ignore[method-assign,assignment]
        case "half_told":
            report_store.put = die  # type: ignore[assignment]
        case "built":
            Ledger.record_build = die  # type: ignore[method-assign,assignment]
        case _:
            arrange_in_conform(point)


def arrange_in_conform(point: str) -> None:
    """The points within the step that evaluates and publishes."""
    match point:
        case "staged":
            bronze.FEW_ROWS = 0  # type: ignore[attr-defined]  # as a large delivery
            Stage.write = after(Stage.write)  # type: ignore[method-assign]
        case "silver":
            publish._silver, publish._more_silver = after(publish._silver), after(publish._more_silver)
            publish._quarantine_and_evidence = never
        case "published":
            Results.write = die  # type: ignore[method-assign,assignment]
        case _:
            raise ValueError(point)


if __name__ == "__main__":
    arrange(sys.argv[1])
    STEPS[sys.argv[2]](load(), *sys.argv[3:])
