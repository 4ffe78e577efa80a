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


def triggering_deliveries(triggering_asset_events) -> list[str]:
    """Ids of the deliveries whose asset events triggered a run, in the order of the events; the watch has them in a payload."""
    events = [event.extra for group in (triggering_asset_events or {}).values() for event in group]
    return list(dict.fromkeys(one for extra in events for one in extra.get("payload", extra).get("deliveries", ())))
