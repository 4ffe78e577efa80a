"""Who acts: role, department and name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """Somebody who acts; `department` is the id that contracts call provider. What the role may: jobs/access."""

    role: str
    department: str
    name: str


SYSTEM = Actor("machine", "bureau", "数据湖")
