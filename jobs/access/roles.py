"""The roles of actors, and the views in which they see data."""

from collections.abc import Mapping

from jobs.access.policy import Mask, Role, View, access_policy
from jobs.errors import NotAllowed
from jobs.model.actor import Actor

MASKS = {Mask.AS_SENT: "原值", Mask.NUMBERS: "个人号码打码", Mask.ENDS: "只显示首尾", Mask.HIDDEN: "不可见"}
"""How a mask shows values, in Chinese."""


def role_labels() -> dict[str, str]:
    """Every role with its Chinese name."""
    return {name: role.label for name, role in access_policy().roles.items()}


def roles_of_people() -> dict[str, str]:
    """Roles in which people log in, with their Chinese names."""
    return {name: role.label for name, role in access_policy().roles.items() if role.scope != "lake"}


def role_label(name: str) -> str:
    """The role in Chinese; its name where the role no longer exists."""
    role = access_policy().roles.get(name)
    return role.label if role else name


def department_roles() -> tuple[str, ...]:
    """Roles limited to the data and tickets of their own department."""
    return tuple(name for name, role in access_policy().roles.items() if role.scope == "department")


def grade_labels() -> Mapping[str, str]:
    """Every grade with its Chinese name."""
    return access_policy().grades


def acts_for_department(actor: Actor) -> bool:
    """Whether the actor is limited to one department; NotAllowed for an unknown role."""
    return _role(actor).scope == "department"


def view_of(actor: Actor, provider: str) -> View:
    """The actor's view of a provider's values: the mask of each grade."""
    role, views = _role(actor), access_policy().views
    is_own = role.scope == "department" and actor.department == provider
    return views[role.reads_own or role.reads] if is_own else views[role.reads]


def reads_as_sent(actor: Actor, provider: str) -> bool:
    """Whether the actor reads a provider's values of every grade as they were sent."""
    return all(mask is Mask.AS_SENT for mask in view_of(actor, provider).values())


def owner_view() -> View:
    """The view of the department that owns the data."""
    return access_policy().views["owner"]


def outsider_view() -> View:
    """The view of everybody else."""
    return access_policy().views["outsider"]


def view_words(name: str) -> str:
    """What a view shows, by grade, in Chinese; its name where the policy no longer has it."""
    view = access_policy().views.get(name)
    if view is None:
        return name
    shown: dict[Mask, list[str]] = {}
    for grade, mask in view.items():
        shown.setdefault(mask, []).append(f"{grade} {grade_labels()[grade]}")
    return "；".join(f"{'、'.join(grades)}：{MASKS[mask]}" for mask, grades in shown.items())


def _role(actor: Actor) -> Role:
    role = access_policy().roles.get(actor.role)
    if role is None:
        raise NotAllowed(f"没有角色「{actor.role}」；可以是：{'、'.join(role_labels())}")
    return role
