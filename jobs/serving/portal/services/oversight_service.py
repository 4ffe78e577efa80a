"""Notices of a department, and for auditors the log of sensitive data and the chain of events."""

from dataclasses import dataclass, replace

from jobs.access import rights
from jobs.access.personal_numbers import masked_lines
from jobs.access.policy import Right
from jobs.collaboration.audit_log import ChainAudit
from jobs.collaboration.channels import Notice
from jobs.collaboration.channels import PortalNotices as NoticeBoard
from jobs.errors import Unknown
from jobs.model.actor import Actor
from jobs.serving.access_log import Logged
from jobs.serving.portal.authentication import InvalidForm
from jobs.serving.portal.context import Portal

SHOWN = 100


@dataclass(frozen=True)
class LogPage:
    """A page of the access log."""

    rows: tuple[Logged, ...]
    total: int
    page: int
    size: int


@dataclass(frozen=True)
class OversightService:
    """Notices and logs that the actor may read."""

    portal: Portal
    actor: Actor

    def notices(self) -> tuple[Notice, ...]:
        """The own department's, newest first; with personal numbers masked."""
        recent = self._board().notices(self.actor.department)[:SHOWN]
        return tuple(replace(notice, text=masked_lines(notice.text, is_free=False)) for notice in recent)

    def mark_read(self, notice_id: int) -> None:
        """Mark one of the own department's as read; Unknown where it is another's."""
        if all(notice.id != notice_id for notice in self._board().notices(self.actor.department)):
            raise Unknown("没有这条通知，或不属于您的部门")
        self._board().read(self.actor.department, notice_id)

    def mark_all_read(self) -> None:
        """Mark all of the own department's as read."""
        self._board().read_all(self.actor.department)

    def log(self, page: int, size: int, department: str) -> LogPage:
        """Who was shown which sensitive data, newest first."""
        rights.check_right(self.actor, Right.AUDIT, "查看访问日志")
        rows, total = self.portal.access.rows(page, size, department)
        return LogPage(rows, total, page, size)

    def verified(self, noted: str = "") -> ChainAudit:
        """The chain of events, walked now; `noted` is NUMBER:HASH as it was written down before."""
        rights.check_right(self.actor, Right.AUDIT, "核验事件链")
        return self.portal.tickets.audit_verify(_pair(noted))

    def log_verified(self, noted: str = "") -> ChainAudit:
        """The chain of the access log, walked now."""
        rights.check_right(self.actor, Right.AUDIT, "核验访问日志")
        return self.portal.access.verified(_pair(noted))

    def _board(self) -> NoticeBoard:
        return NoticeBoard(self.portal.tickets.database, self.portal.now())


def _pair(noted: str) -> tuple[int, str] | None:
    """Number and hash of a note; None where there is none."""
    number, _, hash_ = noted.strip().partition(":")
    if noted.strip() and not (number.isdecimal() and len(number) < 19 and hash_):
        raise InvalidForm("此前记下的值须写作 序号:哈希")
    return (int(number), hash_) if hash_ else None
