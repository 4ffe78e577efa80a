"""Authorisation: who may see and do what. Every page and every operation for people checks here.

A department sees its own tickets, deliveries, reports and notices, and every contract, since all share the catalogue.
The bureau's roles see everything, but no sensitive value (L3, L4): only the department that owns the data does.
"""

from jobs.access.policy import Right, access_policy
from jobs.access.roles import acts_for_department, role_label
from jobs.errors import NotAllowed, Unknown
from jobs.model.actor import Actor


def may(actor: Actor, right: Right) -> bool:
    """Whether the actor's role has the right."""
    return actor.role in access_policy().rights[right]


def check_right(actor: Actor, right: Right, operation: str) -> None:
    """NotAllowed where the actor's role lacks the right; the message names the roles that have it."""
    if not may(actor, right):
        roles = "、".join(role_label(name) for name in access_policy().rights[right])
        raise NotAllowed(f"「{role_label(actor.role)}」不能{operation}；须由{roles}办理")


def may_know(actor: Actor, provider: str) -> bool:
    """Whether the actor may see the deliveries of a provider and their results."""
    return not acts_for_department(actor) or actor.department == provider


def check_known(actor: Actor, provider: str, label: str) -> None:
    """Unknown where the actor may not see it; the message is that for an object that does not exist."""
    if not may_know(actor, provider):
        raise Unknown(f"没有{label}，或不属于您的部门")


def check_own(actor: Actor, provider: str, operation: str) -> None:
    """NotAllowed where the data is another department's, in any role."""
    if actor.department != provider:
        raise NotAllowed(f"只能{operation}本部门（{actor.department}）的数据；这是 {provider} 的数据")


def may_deliver(actor: Actor, provider: str) -> bool:
    """Whether the actor may deliver and correct a provider's data."""
    return may(actor, Right.DELIVER) and actor.department == provider


def reads_request(actor: Actor, owner: str, requester: str) -> bool:
    """Whether the actor may read the record of a request, and its texts unmasked.

    Owner and requester may; of the others only mediators, never a department that is only asked for an answer.
    """
    if acts_for_department(actor):
        return actor.department in (owner, requester)
    return may(actor, Right.READ_REQUESTS)
