"""The portal: `lake portal` as a process of the home."""

import sys
from functools import partial
from urllib.parse import urlsplit

import httpx

from jobs.embedded.endpoints import from_environment
from jobs.embedded.program import Program
from jobs.embedded.service import Service, nothing
from jobs.settings import Settings


def probe(settings: Settings) -> None:
    """Raise unless the portal answers."""
    httpx.get(f"{settings.portal_url}/healthz", timeout=5, trust_env=False).raise_for_status()


def programs(settings: Settings) -> tuple[Program, ...]:
    address = urlsplit(settings.portal_url)
    words = ("portal", "--host", str(address.hostname), "--port", str(address.port))
    return (
        Program(
            "portal",
            (sys.executable, "-m", "jobs.cli", *words),
            settings.portal_url,
            partial(probe, settings),
            env=from_environment(settings.home) | {"LAKE_HOME": str(settings.home)},
        ),
    )


def _greet(settings: Settings) -> None:
    """Nothing: the portal needs no first request."""


SERVICE = Service("portal", {"portal": probe}, lambda settings: settings.portal_url, nothing, programs, _greet)
