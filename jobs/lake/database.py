"""The database of the lake's state: SQLite on a laptop, PostgreSQL in production; ledger and tickets share it."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine, create_engine, event, inspect, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from jobs.errors import ServiceUnavailable

HEAD = "0015"
"""Newest migration in jobs/lake/migrations/versions; a test checks it."""

THREADS = 40
"""Requests that the portal answers concurrently; the pool has a connection for each."""


class Database:
    """Sessions, each one transaction, and migration of the schema."""

    def __init__(self, url: str) -> None:
        self._engine = _engine(url)
        self._sessions = sessionmaker(self._engine)

    def migrate(self) -> None:
        """Upgrade the database to the newest schema; idempotent."""
        if self._is_current():
            return
        from alembic import command  # takes a second to import, needed once per version
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
        with self._reachable(), self._engine.begin() as connection:
            if connection.dialect.name == "postgresql":  # concurrent starts run one after the other
                connection.execute(text("SELECT pg_advisory_xact_lock(20260112)"))
            else:  # else SQLite's driver commits each DDL statement, and a crash leaves half of them
                connection.exec_driver_sql("BEGIN IMMEDIATE")
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def _is_current(self) -> bool:
        with self._reachable(), self._engine.connect() as connection:
            if not inspect(connection).has_table("alembic_version"):
                return False
            return bool(connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A session that is one transaction; ServiceUnavailable where the database does not answer."""
        with self._reachable(), self._sessions.begin() as session:
            yield session

    @contextmanager
    def _reachable(self) -> Iterator[None]:
        try:
            yield
        except OperationalError as error:
            raise ServiceUnavailable(f"the state database does not answer: {error.orig}") from error


def utc(moment: datetime) -> datetime:
    """The moment in UTC: SQLite returns it without zone."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _engine(url: str) -> Engine:
    if not url.startswith("sqlite"):
        return create_engine(
            url,
            pool_pre_ping=True,
            pool_size=THREADS // 4,
            max_overflow=THREADS - THREADS // 4,
            hide_parameters=True,
        )
    Path(url.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, connect_args={"timeout": 30}, hide_parameters=True)

    @event.listens_for(engine, "connect")
    def _pragmas(connection: object, _: object) -> None:
        cursor = connection.cursor()  # type: ignore[attr-defined]
        cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.close()

    return engine
