"""The log of queries; answers that show sensitive values are in the hash chain of the access log too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import func, select

from jobs.lake.database import Database, utc
from jobs.model.actor import Actor
from jobs.serving.access_log import Access, AccessLog
from jobs.serving.sql.query_tables import QueryRow

Outcome = Literal["answered", "refused", "failed"]
MOST_REASON = 1000


@dataclass(frozen=True)
class Entry:
    """A query of the log; `at` is UTC, `tables` have their versions."""

    id: str
    at: datetime
    actor: Actor
    way: str
    sql: str
    tables: Sequence[str] = ()
    grade: str = ""
    is_sensitive: bool = False
    rows: int = 0
    duration_ms: int = 0
    outcome: Outcome = "answered"
    reason: str = ""


class QueryLog:
    """Adds to the log and reads it."""

    def __init__(self, database: Database) -> None:
        self._database, self._accesses = database, AccessLog(database)

    def add(self, entry: Entry) -> None:
        """Record the query; called before its rows are returned."""
        actor = entry.actor
        with self._database.session() as session:
            session.add(
                QueryRow(
                    id=entry.id,
                    at=utc(entry.at),
                    name=actor.name,
                    role=actor.role,
                    department=actor.department,
                    way=entry.way,
                    sql=entry.sql.replace("\0", "\ufffd"),  # PostgreSQL stores no zero byte
                    tables=list(entry.tables),
                    grade=entry.grade,
                    is_sensitive=entry.is_sensitive,
                    rows=entry.rows,
                    duration_ms=entry.duration_ms,
                    outcome=entry.outcome,
                    reason=entry.reason[:MOST_REASON],
                )
            )

    def add_showing(self, entry: Entry, shown: Mapping[str, str], action: str = "sql") -> None:
        """Record in the access log that sensitive values of datasets are shown; `shown` has the grant of each, if any."""
        for dataset, grant in shown.items():
            reason = f"SQL 查询（{entry.way}）{'；' if grant else ''}{grant}"
            access = Access(action, f"查询 {entry.id}", dataset, entry.grade, reason)
            self._accesses.add(entry.actor, access, entry.at)

    def entries(self, page: int, size: int, name: str = "") -> tuple[tuple[Entry, ...], int]:
        """A page of the log, newest first, and how many entries there are; all, or those of one person."""
        where = [QueryRow.name == name] if name else []
        query = select(QueryRow).where(*where).order_by(QueryRow.id.desc()).limit(size).offset((page - 1) * size)
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(QueryRow).where(*where)) or 0
            return tuple(_entry(row) for row in session.scalars(query)), total


def _entry(row: QueryRow) -> Entry:
    return Entry(
        row.id,
        utc(row.at),
        Actor(row.role, row.department, row.name),
        row.way,
        row.sql,
        tuple(row.tables),
        row.grade,
        row.is_sensitive,
        row.rows,
        row.duration_ms,
        row.outcome,  # type: ignore[arg-type]
        row.reason,
    )
