"""Who may know of what, and who may do what. Everything that is shown to people or done for them asks here.

A department knows of its own tickets, deliveries, reports and notices, and of every contract, since the catalogue is for
all. The bureau's roles know of everything, but read no sensitive value (L3, L4): only the department whose data it is does.
"""

from jobs.access.policy import Right, access_policy
from jobs.access.roles import acts_for_department, role_label
from jobs.errors import NotAllowed, Unknown
from jobs.model.actor import Actor


def may(actor: Actor, right: Right) -> bool:
    """Whether the actor's role has the right."""
    return actor.role in access_policy().rights[right]


def check_right(actor: Actor, right: Right, what: str) -> None:
    """NotAllowed where the actor's role has not the right; the message says whose has."""
    if not may(actor, right):
        roles = "、".join(role_label(name) for name in access_policy().rights[right])
        raise NotAllowed(f"「{role_label(actor.role)}」不能{what}；须由{roles}办理")


def may_know(actor: Actor, provider: str) -> bool:
    """Whether the actor may know what a provider delivered and how it fared."""
    return not acts_for_department(actor) or actor.department == provider


def check_known(actor: Actor, provider: str, what: str) -> None:
    """Unknown where the actor may not know of it; in the words of something that is not there."""
    if not may_know(actor, provider):
        raise Unknown(f"没有{what}，或不属于您的部门")


def check_own(actor: Actor, provider: str, what: str) -> None:
    """NotAllowed where the data is another department's, whatever the actor's role."""
    if actor.department != provider:
        raise NotAllowed(f"只能{what}本部门（{actor.department}）的数据；这是 {provider} 的数据")


def may_deliver(actor: Actor, provider: str) -> bool:
    """Whether the actor may deliver a provider's data, and mend it."""
    return may(actor, Right.DELIVER) and actor.department == provider


def reads_request(actor: Actor, owner: str, requester: str) -> bool:
    """Whether the actor reads which record a request is about, and its texts without masks.

    Owner and requester do; of the others only those who mediate, never the department that is merely asked to answer.
    """
    if acts_for_department(actor):
        return actor.department in (owner, requester)
    return may(actor, Right.READ_REQUESTS)
