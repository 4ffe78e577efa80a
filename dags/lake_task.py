"""How a task runs a step: late imports, one lake a task, and a retry only where a service was away."""

import logging
from typing import Any

from airflow.sdk.exceptions import AirflowFailException

from jobs.settings import load

SCHEME = "lake://"


def run(step: str, *arguments: str) -> Any:
    """The outcome of a step of jobs.pipeline; a mistake in data or contract fails at once, without a retry."""
    from jobs import pipeline
    from jobs.errors import UserError

    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it says hundreds of lines at each import
    try:
        return pipeline.run(load(), step, *arguments)
    except UserError as error:
        raise AirflowFailException(str(error)) from error
