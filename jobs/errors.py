"""What can go wrong, split by who can mend it.

Bad data is never an exception: a delivery refused whole still gets its verdict.
"""


class LakeError(Exception):
    """Base of all errors that the lake raises on purpose."""

    exit_code = 1


class UserError(LakeError):
    """The person at the keyboard, or the author of a file, can mend it."""

    exit_code = 2


class ContractError(UserError):
    """A file in schemas/ or expectations/ is wrong; the message names file, line and remedy."""

    exit_code = 3


class PolicyError(UserError):
    """A file of holidays, clocks or states is wrong; the message names file, line and remedy, in Chinese."""

    exit_code = 3


class NotAllowed(UserError):
    """The actor has no right to do it, whatever the state; the message says in Chinese who has."""


class InvalidTransition(UserError):
    """The ticket's state does not take this step now; the message says in Chinese which steps it takes."""


class PolicyRefusal(UserError):
    """What was stated is incomplete or against a policy; the message says in Chinese what would be taken."""


class Overtaken(UserError):
    """Somebody else moved the ticket first; the message says in Chinese who, and what the state is now."""


class Unknown(UserError):
    """There is no such thing, or the one who asks may not know of it; the two are told in the same words."""


class OutdatedTable(UserError):
    """A table is laid out as an earlier release did it; the message names the table and the command that renews it."""


class DeliveryError(UserError):
    """A delivered file cannot be read as its contract says; becomes a refused delivery, in Chinese."""

    exit_code = 4


class ServiceUnavailable(LakeError):
    """S3, Spark, the database or Airflow did not answer; a later try may succeed."""

    exit_code = 5


class SetupError(LakeError):
    """Something that the lake needs is not installed or cannot start; the message says the remedy."""

    exit_code = 6
