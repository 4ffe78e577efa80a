"""The stream and the collector: `lake stream run` and `lake collector serve` as processes of the home."""

import sys
from functools import partial
from urllib.parse import urlsplit

import httpx

from jobs.embedded.endpoints import from_environment
from jobs.embedded.program import Program
from jobs.embedded.service import Service, nothing
from jobs.settings import Settings


def _program(settings: Settings, name: str, words: tuple[str, ...]) -> Program:
    return Program(
        name,
        (sys.executable, "-m", "jobs.cli", *words),
        settings.collector_url if name == "collector" else settings.kafka_servers,
        partial(PROBES[name], settings),
        env=from_environment(settings.home) | {"LAKE_HOME": str(settings.home)},
    )


def probe_stream(settings: Settings) -> None:
    """Raise unless an owner of the query was seen lately."""
    from datetime import UTC, datetime

    from jobs.errors import ServiceUnavailable
    from jobs.lake.lake import opened
    from jobs.lake.stream_ledger import ABSENT_AFTER

    with opened(settings) as lake:
        owner = lake.streams.owner()
    if owner is None or datetime.now(UTC) - owner[1] > ABSENT_AFTER:
        raise ServiceUnavailable("no service owns the query / 没有服务在读取实时数据")


def probe_collector(settings: Settings) -> None:
    """Raise unless the collector answers."""
    httpx.get(f"{settings.collector_url}/healthz", timeout=5, trust_env=False).raise_for_status()


PROBES = {"stream": probe_stream, "collector": probe_collector}


def stream_programs(settings: Settings) -> tuple[Program, ...]:
    return (_program(settings, "stream", ("stream", "run")),)


def collector_programs(settings: Settings) -> tuple[Program, ...]:
    address = urlsplit(settings.collector_url)
    words = ("collector", "serve", "--host", str(address.hostname), "--port", str(address.port))
    return (_program(settings, "collector", words),)


def _greet(settings: Settings) -> None:
    """Nothing: neither needs a first request."""


STREAM = Service(
    "stream", {"stream": probe_stream}, lambda settings: settings.kafka_servers, nothing, stream_programs, _greet
)
COLLECTOR = Service(
    "collector",
    {"collector": probe_collector},
    lambda settings: settings.collector_url,
    nothing,
    collector_programs,
    _greet,
)
