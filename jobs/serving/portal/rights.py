"""Who may know of what, and who may do what. Everything that the portal shows or does asks here, through the service.

A department knows of its own tickets, deliveries, reports and notices, and of every contract, since the catalogue is for
all. The bureau's roles know of everything, but read no sensitive value (L3, L4): only the department whose data it is does.
"""

from collections.abc import Collection

from jobs.collaboration import Tickets
from jobs.errors import NotAllowed, Unknown
from jobs.model.actor import DEPARTMENT_ROLES, Actor

SENDERS = DEPARTMENT_ROLES
"""Roles that deliver data of their department."""

OVERSEERS = ("quality_officer", "leader", "auditor", "analyst", "operator")
"""Roles that see the whole city."""

AUDITORS = ("auditor",)
COMMENTERS = (*DEPARTMENT_ROLES, "quality_officer", "leader")
PACKERS = (*DEPARTMENT_ROLES, "quality_officer")
"""Roles that may take a ticket's workbook; of departments, the one whose data it is."""

REQUESTERS = DEPARTMENT_ROLES
"""Roles that may ask another department to check its data."""


def may_know(actor: Actor, provider: str) -> bool:
    """Whether the actor may know what a provider delivered and how it fared."""
    return not actor.is_bound() or actor.department == provider


def check_known(actor: Actor, provider: str, what: str) -> None:
    """Unknown where the actor may not know of it; in the words of something that is not there."""
    if not may_know(actor, provider):
        raise Unknown(f"没有{what}，或不属于您的部门")


def check_role(actor: Actor, roles: Collection[str], what: str) -> None:
    """NotAllowed where the actor's role may not do it; the message says whose may."""
    if actor.role not in roles:
        names = Tickets.state_machine().roles
        raise NotAllowed(
            f"「{names.get(actor.role, actor.role)}」不能{what}；须由{'、'.join(names[r] for r in roles)}办理"
        )


def check_own(actor: Actor, provider: str, what: str) -> None:
    """NotAllowed where the data is another department's, whatever the actor's role."""
    if actor.department != provider:
        raise NotAllowed(f"只能{what}本部门（{actor.department}）的数据；这是 {provider} 的数据")


def reads_values(actor: Actor, provider: str) -> bool:
    """Whether the actor reads values of L3 and L4 as they were sent: people of the department whose data it is."""
    return actor.is_bound() and actor.department == provider
