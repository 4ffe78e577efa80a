"""How a task runs a step: one lake per task, and a retry only where a service was unavailable."""

import logging

from airflow.sdk.exceptions import AirflowFailException

from jobs.settings import load


def run(step, *arguments):
    """The result of a step of jobs.pipeline; a user error, such as a wrong contract, fails the task without a retry."""
    from jobs.errors import UserError

    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it logs hundreds of lines at each import
    try:
        return step(load(), *arguments)
    except UserError as error:
        raise AirflowFailException(str(error)) from error
