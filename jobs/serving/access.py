"""The log of sensitive data (L3, L4) that people were shown. Rows are only ever added."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from jobs.collaboration import Actor
from jobs.lake.database import Database, utc
from jobs.serving.account_tables import AccessRow

WAYS = {"view": "页面查看", "pack": "下载整改包", "record": "查看申请所指记录", "sample": "查看样例"}


@dataclass(frozen=True)
class Access:
    """What somebody was shown: which object of which dataset, the highest grade in it, in which way, and why."""

    action: str
    object: str
    dataset: str
    grade: str
    reason: str


@dataclass(frozen=True)
class Logged:
    """A row of the log; `at` is UTC."""

    id: int
    at: datetime
    name: str
    role: str
    department: str
    access: Access


class AccessLog:
    """Adds to the log and reads it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, actor: Actor, access: Access, at: datetime) -> None:
        """Note it; called before the data is given out, so that what cannot be noted is not shown."""
        who = {"name": actor.name, "role": actor.role, "department": actor.department}
        with self._database.session() as session:
            session.add(AccessRow(at=utc(at), **who, **access.__dict__))

    def rows(self, page: int, size: int, department: str = "") -> tuple[tuple[Logged, ...], int]:
        """A page of the log, newest first, and how many rows there are in all."""
        where = [AccessRow.department == department] if department else []
        query = select(AccessRow).where(*where).order_by(AccessRow.id.desc()).limit(size).offset((page - 1) * size)
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(AccessRow).where(*where)) or 0
            return tuple(_logged(row) for row in session.scalars(query)), total


def _logged(row: AccessRow) -> Logged:
    what = Access(row.action, row.object, row.dataset, row.grade, row.reason)
    return Logged(row.id, utc(row.at), row.name, row.role, row.department, what)
