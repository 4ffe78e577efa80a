"""Errors, by who can fix them.

Bad data is never an exception: a delivery refused whole still gets its verdict.
"""


class LakeError(Exception):
    """Base of all errors that the lake raises on purpose."""

    exit_code = 1


class UserError(LakeError):
    """The user, or the author of a file, can fix it."""

    exit_code = 2


class ContractError(UserError):
    """A file in schemas/ or expectations/ is invalid; the message names file, line and remedy."""

    exit_code = 3


class PolicyError(UserError):
    """A file of holidays, clocks or states is invalid; the message names file, line and remedy, in Chinese."""

    exit_code = 3


class NotAllowed(UserError):
    """The actor lacks the right, in any state; the message says in Chinese who has it."""


class InvalidTransition(UserError):
    """The ticket's state does not allow the transition; the message says in Chinese which ones it allows."""


class PolicyRefusal(UserError):
    """The input is incomplete or against a policy; the message says in Chinese what would be accepted."""


class Overtaken(UserError):
    """Somebody else changed the ticket first; the message says in Chinese who, and its current state."""


class Unknown(UserError):
    """It does not exist, or the actor may not see it; both cases get the same message."""


class OutdatedTable(UserError):
    """A table has the layout of an earlier release; the message names the table and the command that rewrites it."""


class DeliveryError(UserError):
    """A delivered file cannot be read as its contract says; becomes a refused delivery, in Chinese."""

    exit_code = 4


class ServiceUnavailable(LakeError):
    """S3, Spark, the database or Airflow did not answer; a later try may succeed."""

    exit_code = 5


class SetupError(LakeError):
    """Something that the lake needs is not installed or cannot start; the message names the remedy."""

    exit_code = 6
