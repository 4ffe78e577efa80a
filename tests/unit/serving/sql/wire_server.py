"""A server of the SQL service, and clients that connect to it."""

import shutil
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from jobs.embedded.endpoints import HOST
from jobs.lake.database import Database
from jobs.serving.accounts import Accounts, Person
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.tokens import Tokens
from jobs.serving.sql.wire.login import WireLogins
from jobs.serving.sql.wire.serve import SqlServer
from tests.unit.serving.sql.city import asked_lake

PASSWORD = "correct horse battery"


@dataclass
class Wire:
    """A server, its database, and a token of each person."""

    server: SqlServer
    port: int
    database: Database
    tokens: dict[str, str]

    def address(self, user: str) -> dict[str, object]:
        """Where and as whom to connect."""
        where = {"host": HOST, "port": self.port, "dbname": "lake", "sslmode": "disable"}
        return {**where, "user": user, "password": self.tokens[user]}

    def connect(self, user: str, password: str, **options: object) -> psycopg.Connection:
        return psycopg.connect(
            host=HOST, port=self.port, user=user, password=password, dbname="lake", connect_timeout=10,
            autocommit=True, **{"sslmode": "disable", **options},  # type: ignore[arg-type]
        )  # fmt: skip


def certified(root: Path) -> tuple[Path, Path]:
    """Files of a certificate that signs itself, and of its key."""
    certificate, key = root / "cert.pem", root / "key.pem"
    options = (
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-days",
        "2",
        "-subj",
        "/CN=lake",
    )
    names = ("-addext", f"subjectAltName=IP:{HOST}")
    files = ("-keyout", str(key), "-out", str(certificate))
    subprocess.run(["openssl", "req", *options, *names, *files], check=True, capture_output=True)
    return certificate, key


@contextmanager
def served(root: Path, state: Path, tls: ssl.SSLContext | None) -> Iterator[Wire]:
    shutil.copy(state, root / "state.db")
    database = Database(f"sqlite:///{root / 'state.db'}")
    now, tokens = datetime.now(UTC), {}
    for name, role, department in (("analyst", "analyst", "bureau"), ("owner", "approver", "market_regulation")):
        Accounts(database).add(Person(name, role, department, "某人"), now, PASSWORD)
        tokens[name] = Tokens(database).add(name, "", now, now + timedelta(days=1))[1]
    Accounts(database).add(Person("fresh", "analyst", "bureau"), now)
    lake, cat = asked_lake(root)
    service = SqlService(lake, database, lambda: cat)  # type: ignore[arg-type]
    with SqlServer((HOST, 0), service, WireLogins(database, lambda: datetime.now(UTC)), tls) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield Wire(server, server.server_address[1], database, tokens)
        server.shutdown()
    service.close()
    database.close()
