"""The interface that the embedded services share."""

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
    """Name of each process, with a probe that raises unless it is healthy."""
    address: Callable[[Settings], str]
    prepare: Callable[[Settings, Say], None]
    """Runs before it starts."""
    programs: Callable[[Settings], tuple[Program, ...]]
    greet: Callable[[Settings], None]
    """Runs once it answers: a first real request, and resources that the lake expects."""


@dataclass(frozen=True)
class ServiceStatus:
    """Status of one process of a service."""

    name: str
    state: str
    """running, stopped, unhealthy (alive, but its probe fails) or outside (started by somebody else)."""
    pid: int | None
    url: str
    log: str
    rss_mib: int


def nothing(settings: Settings, say: Say) -> None:
    """For a service that needs no preparation."""
