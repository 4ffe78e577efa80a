"""How a task runs a step: one lake a task, and a retry only where a service was unavailable."""

import logging

from airflow.sdk.exceptions import AirflowFailException

from jobs.settings import load


def run(step, *arguments):
    """The outcome of a step of jobs.pipeline; a mistake in data or contract fails at once, without a retry."""
    from jobs.errors import UserError

    logging.getLogger("great_expectations").setLevel(logging.WARNING)  # it says hundreds of lines at each import
    try:
        return step(load(), *arguments)
    except UserError as error:
        raise AirflowFailException(str(error)) from error


def triggering_deliveries(triggering_asset_events) -> list[str]:
    """Ids of the deliveries whose asset events triggered a run, in the order of the events."""
    events = [event for group in (triggering_asset_events or {}).values() for event in group]
    return list(dict.fromkeys(event.extra["delivery"] for event in events if "delivery" in event.extra))
