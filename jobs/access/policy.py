"""policy.yaml → roles, rights and views, validated: every name is defined, every grade has a mask."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field

from jobs.contracts.grades import GRADES
from jobs.contracts.policy_file import PolicyPart, mistake, read_policy
from jobs.contracts.yaml_source import Document, PathKey

FILE = Path(__file__).parent / "policy.yaml"
REMEDY = "请参照 jobs/access/policy.yaml 开头的说明"


class Mask(StrEnum):
    """How a value is masked."""

    AS_SENT = "as_sent"
    NUMBERS = "numbers"
    ENDS = "ends"
    HIDDEN = "hidden"


class Right(StrEnum):
    """Rights of roles; the transitions of tickets are assigned to roles by their state machine."""

    DELIVER = "deliver"
    REQUEST_CORRECTION = "request_correction"
    COMMENT = "comment"
    MEDIATE = "mediate"
    READ_REQUESTS = "read_requests"
    HANDLE_ALARMS = "handle_alarms"
    MANAGE_KEYS = "manage_keys"
    OVERSEE = "oversee"
    QUERY = "query"
    GRANT = "grant"
    AUDIT = "audit"


View = Mapping[str, Mask]
"""Grade → mask."""


class Role(PolicyPart):
    """A role: its label, whose data and tickets it sees, and the view in which it sees values."""

    label: str = Field(min_length=1)
    scope: Literal["department", "city", "lake"]
    reads: str
    reads_own: str = ""


class AccessPolicy(PolicyPart):
    """The content of policy.yaml. Grades and roles have Chinese labels."""

    version: int = Field(gt=0)
    grades: Mapping[str, str]
    views: Mapping[str, View]
    roles: Mapping[str, Role]
    rights: Mapping[Right, tuple[str, ...]]


@lru_cache
def access_policy(file: Path = FILE) -> AccessPolicy:
    """The policy in the file; PolicyError names file, line and remedy."""
    policy, document = read_policy(file, AccessPolicy, REMEDY)
    _check_same(document, ("grades",), policy.grades, GRADES, "分级")
    for name, view in policy.views.items():
        _check_same(document, ("views", name), view, GRADES, "分级")
    for name, role in policy.roles.items():
        _check_role(document, name, role, policy.views)
    _check_same(document, ("rights",), policy.rights, list(Right), "权限")
    for right, roles in policy.rights.items():
        _check_known(document, ("rights", right), roles, policy.roles, "角色")
    return policy


def _check_role(document: Document, name: str, role: Role, views: Iterable[str]) -> None:
    _check_known(document, ("roles", name, "reads"), [role.reads], views, "视图")
    if role.reads_own:
        _check_known(document, ("roles", name, "reads_own"), [role.reads_own], views, "视图")
        if role.scope != "department":
            raise mistake(document, ("roles", name), f"{name} 不属于部门，没有本部门的数据", "请删去 reads_own")


def _check_same(
    document: Document, place: tuple[PathKey, ...], names: Iterable[str], known_names: Iterable[str], label: str
) -> None:
    missing = [name for name in known_names if name not in set(names)]
    if missing:
        raise mistake(document, place, f"缺少{label} {'、'.join(missing)}", "请补充")
    _check_known(document, place, names, known_names, label)


def _check_known(
    document: Document, place: tuple[PathKey, ...], names: Iterable[str], known_names: Iterable[str], label: str
) -> None:
    allowed = list(known_names)
    for name in names:
        if name not in allowed:
            raise mistake(document, place, f"不认识的{label} {name}", f"请改为：{'、'.join(allowed)}")
