"""Whether the SQL service answers: by both protocols, with and without TLS."""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread

import pytest

from jobs.embedded import endpoints
from jobs.embedded.endpoints import HOST
from jobs.embedded.sql_service import SERVICE, probe
from jobs.errors import ServiceUnavailable
from jobs.settings import Settings
from tests.unit.serving.sql.flight_server import flying
from tests.unit.serving.sql.wire_server import Wire, certified, served


def made(home: Path, wire: int, flight: int, certificate: Path | None = None) -> Settings:
    urls = {"sql_url": f"postgresql://{HOST}:{wire}", "sql_flight_url": f"grpc://{HOST}:{flight}" if flight else ""}
    return Settings(_env_file=None, home=home, sql_tls_certificate=certificate, **urls)  # type: ignore[call-arg]


@pytest.fixture(scope="module", params=[False, True], ids=["plain", "tls"])
def running(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, made_sqlite: Path
) -> Iterator[tuple[Wire, int, Path | None]]:
    """A server of both protocols: its ports, and its certificate."""
    root, context, files, certificate = tmp_path_factory.mktemp("probe"), None, None, None
    if request.param:
        certificate, key = certified(root)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        files = certificate.read_bytes(), key.read_bytes()
    with served(root, made_sqlite, context) as wire, flying(wire, files) as flight:
        yield wire, flight.server.port, certificate


def test_a_service_that_answers_by_both_protocols_is_healthy(
    running: tuple[Wire, int, Path | None], tmp_path: Path
) -> None:
    wire, flight, certificate = running
    probe(made(tmp_path, wire.port, flight, certificate))
    probe(made(tmp_path, wire.port, 0, certificate))


def test_a_service_whose_second_protocol_is_another_or_none_is_not(
    running: tuple[Wire, int, Path | None], tmp_path: Path
) -> None:
    wire, _, certificate = running
    with silent() as port, pytest.raises((ServiceUnavailable, OSError)):
        probe(made(tmp_path, wire.port, port, certificate))
    with pytest.raises(OSError):
        probe(made(tmp_path, wire.port, endpoints.free_port([]), certificate))
    with silent() as port, pytest.raises((ServiceUnavailable, OSError)):
        probe(made(tmp_path, port, 0))


@contextmanager
def silent() -> Iterator[int]:
    """The port of something that closes each connection."""
    with socket.create_server((HOST, 0)) as server:

        def close_each() -> None:
            try:
                while True:
                    server.accept()[0].close()
            except OSError:
                return

        Thread(target=close_each, daemon=True).start()
        yield server.getsockname()[1]


def test_the_program_listens_where_the_settings_say(tmp_path: Path) -> None:
    addresses = endpoints.allocate(tmp_path, ["sql-service"], alive=[])
    assert set(addresses) == {"LAKE_SQL_URL", "LAKE_SQL_FLIGHT_URL"}
    settings = endpoints.publish(Settings(_env_file=None, home=tmp_path), addresses)  # type: ignore[call-arg]
    (program,) = SERVICE.programs(settings)
    ports = [address.rpartition(":")[2] for address in (settings.sql_url, settings.sql_flight_url)]
    assert list(program.command)[-6:] == ["--host", HOST, "--port", ports[0], "--flight-port", ports[1]]
    assert program.url == f"postgresql://{HOST}:{ports[0]} grpc://{HOST}:{ports[1]}"
    tls = settings.model_copy(update={"sql_tls_certificate": tmp_path / "cert.pem"})
    assert SERVICE.address(tls).endswith(f" grpc+tls://{HOST}:{ports[1]}")
