"""The actor of an operation: role, department and name."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Actor:
    """A person or the system; `department` is the provider id of contracts. Rights of the role: jobs/access."""

    role: str
    department: str
    name: str


SYSTEM = Actor("machine", "bureau", "数据湖")
