"""Who acts: role, department and name."""

from dataclasses import dataclass

DEPARTMENT_ROLES = ("reporter", "approver")
"""Roles that see and move the tickets of their own department only."""

TRUSTED_ROLES = ("quality_officer", "machine")
"""Roles outside the two parties that see which record a request is about."""


@dataclass(frozen=True)
class Actor:
    """Somebody who acts; `department` is the id that contracts call provider."""

    role: str
    department: str
    name: str

    def is_bound(self) -> bool:
        """Whether the actor sees the own department's tickets only."""
        return self.role in DEPARTMENT_ROLES


SYSTEM = Actor("machine", "bureau", "数据湖")
