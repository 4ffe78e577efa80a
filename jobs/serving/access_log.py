"""The audit log of access to sensitive data (L3, L4): append-only, in one hash chain."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from jobs.collaboration.audit_log import START, ChainAudit, event_hash
from jobs.lake.database import Database, utc
from jobs.model.actor import Actor
from jobs.serving.account_tables import AccessChainRow, AccessRow

PARTS = ("seq", "name", "role", "department", "action", "object", "dataset", "grade", "reason", "prev")
WAYS = {
    "view": "页面查看",
    "workbook": "下载整改包",
    "record": "查看申请所指记录",
    "sample": "查看样例",
    "sql": "SQL 查询",
    "download": "下载查询结果",
    "grant": "授权使用数据",
    "end_grant": "终止授权",
}


@dataclass(frozen=True)
class Access:
    """An access to sensitive data: object and dataset, its highest grade, the kind of access, and the reason."""

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
        """Record the access; called before the data is returned, so that nothing is shown unrecorded."""
        who = {"name": actor.name, "role": actor.role, "department": actor.department}
        with self._database.session() as session:
            end = _end(session)
            row = AccessRow(seq=end.seq + 1, at=utc(at), prev=end.hash, **who, **access.__dict__)
            row.hash = _hash(row)
            end.seq, end.hash = row.seq, row.hash
            session.add(row)

    def rows(self, page: int, size: int, department: str = "") -> tuple[tuple[Logged, ...], int]:
        """A page of the log, newest first, and how many rows there are in all."""
        where = [AccessRow.department == department] if department else []
        query = select(AccessRow).where(*where).order_by(AccessRow.id.desc()).limit(size).offset((page - 1) * size)
        with self._database.session() as session:
            total = session.scalar(select(func.count()).select_from(AccessRow).where(*where)) or 0
            return tuple(_logged(row) for row in session.scalars(query)), total

    def verified(self, noted: tuple[int, str] | None = None) -> ChainAudit:
        """Walk the chain from its beginning; `noted` is a seq with its hash from an earlier audit."""
        prev, count = START, 0
        with self._database.session() as session:
            for row in session.scalars(select(AccessRow).order_by(AccessRow.seq)).yield_per(1000):
                reason = _fault(row, count + 1, prev, noted)
                if reason:
                    return ChainAudit(count, row.seq, row.hash, row.seq, "", reason)
                prev, count = row.hash, row.seq
            end = session.scalars(select(AccessChainRow)).one()
            if (end.seq, end.hash) != (count, prev) or (noted and noted[0] > count):
                return ChainAudit(count, end.seq, end.hash, count + 1, "", f"第 {count + 1} 条起被删除，或链尾被改动")
        return ChainAudit(count, count, prev)


def _end(session: Session) -> AccessChainRow:
    """The end of the chain, locked until the session ends."""
    session.execute(update(AccessChainRow).where(AccessChainRow.id == 1).values(seq=AccessChainRow.seq))
    return session.scalars(select(AccessChainRow).with_for_update()).one()


def _fault(row: AccessRow, expected: int, prev: str, noted: tuple[int, str] | None) -> str:
    """Why a row is inconsistent with the chain, in Chinese; empty where it is consistent."""
    if row.seq != expected:
        return f"第 {expected} 条记录缺失"
    if row.prev != prev:
        return "与前一条记录的哈希不相接"
    if row.hash != _hash(row):
        return "内容与哈希不符，记录被改动"
    if noted and noted[0] == row.seq and noted[1] != row.hash:
        return "与此前记下的哈希不符，链被重写"
    return ""


def _hash(row: AccessRow) -> str:
    """SHA-256 of the row's canonical JSON, which includes the hash of the previous one."""
    return event_hash({name: getattr(row, name) for name in PARTS} | {"at": utc(row.at).isoformat()})


def _logged(row: AccessRow) -> Logged:
    access = Access(row.action, row.object, row.dataset, row.grade, row.reason)
    return Logged(row.id, utc(row.at), row.name, row.role, row.department, access)
