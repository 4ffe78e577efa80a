"""The hallway: one short function a step, in the order of the way. Each is idempotent by delivery id.

A step's module is imported when the step runs, so that noticing a file does not wait for Spark's client.
"""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

from jobs import contracts
from jobs.lake.lake import opened
from jobs.lake.session import retrying
from jobs.settings import Settings

STEPS: Mapping[str, str] = {
    "land": "ingestion",
    "watch": "ingestion",
    "pending": "ingestion",
    "load": "ingestion",
    "conform": "conform",
    "build": "products",
    "govern": "tickets",
    "governed": "tickets",
    "workbook": "correction_workbook",
    "answer": "correction_workbook",
    "remind": "maintenance",
    "report": "reports",
    "reports": "reports",
    "upkeep": "maintenance",
    "bulletin": "bulletins",
    "closed_periods": "bulletins",
    "announce": "bulletins",
    "verify": "verification",
    "recheck": "recheck_delivery",
    "profile": "profile",
}


def run(settings: Settings, step: str, *arguments: Any) -> Any:
    """The outcome of a step by name, on a lake of its own; waits and goes on where S3 or Spark is away for a while."""
    registry = contracts.load_usable(settings.schemas, settings.expectations)
    work = getattr(import_module(f"jobs.pipeline.{STEPS[step]}"), step)
    with opened(settings) as lake:

        def attempt() -> Any:
            lake.reset_engine()
            return work(lake, registry, *arguments)

        return retrying(attempt, settings.wait_s)()
