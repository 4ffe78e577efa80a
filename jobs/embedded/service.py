"""What the embedded services have in common."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from jobs.embedded.program import Program
from jobs.settings import Settings

Say = Callable[[str], None]
Probe = Callable[[Settings], None]


@dataclass(frozen=True)
class Service:
    """One service of the lake; it may consist of several processes."""

    name: str
    parts: Mapping[str, Probe]
    """Name of each process, with a request that raises unless it is well."""
    address: Callable[[Settings], str]
    prepare: Callable[[Settings, Say], None]
    """What must be done before it can start."""
    programs: Callable[[Settings], tuple[Program, ...]]
    greet: Callable[[Settings], None]
    """What is done once it answers: the first real request, and what the lake expects to find."""


@dataclass(frozen=True)
class ServiceStatus:
    """How one process of a service is."""

    name: str
    state: str
    """running, stopped, unhealthy (it lives, but does not answer as it should) or outside (somebody else runs it)."""
    pid: int | None
    url: str
    log: str
    rss_mib: int


def nothing(settings: Settings, say: Say) -> None:
    """For a service that needs no preparation."""
