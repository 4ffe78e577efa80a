"""Grants: a dataset or product opened to a department, or one of its people, for a purpose and until a moment where they say so."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from sqlalchemy import DateTime, String, select
from sqlalchemy.orm import Mapped, mapped_column

from jobs.access.policy import Mask, View, access_policy
from jobs.access.rights import may_know
from jobs.access.roles import acts_for_department, view_of
from jobs.contracts import Contract
from jobs.errors import Unknown, UserError
from jobs.lake.database import Database, utc
from jobs.lake.ledger_tables import SEQ, Base
from jobs.model.actor import Actor

AT = DateTime(timezone=True)
SHANGHAI = ZoneInfo("Asia/Shanghai")
OPENNESS = (Mask.HIDDEN, Mask.ENDS, Mask.NUMBERS, Mask.AS_SENT)
"""Masks, the strictest first."""
MOST_WORDS, MOST_ACCOUNT = 500, 60
"""Characters of a purpose or basis, and of an account."""


class InvalidGrant(UserError):
    """A grant that cannot be given; `mistakes` says in Chinese what to correct, by option of `lake grants add`."""

    def __init__(self, mistakes: Mapping[str, str]) -> None:
        super().__init__("；".join(mistakes.values()))
        self.mistakes = mistakes


class GrantState(StrEnum):
    """Whether a grant opens anything, and if not, why."""

    VALID = "valid"
    ENDED = "ended"
    EXPIRED = "expired"


class GrantRow(Base):
    """A grant; rows are never deleted, they end."""

    __tablename__ = "access_grant"

    id: Mapped[int] = mapped_column(SEQ, primary_key=True, autoincrement=True)
    dataset: Mapped[str] = mapped_column(String(120), index=True)
    department: Mapped[str] = mapped_column(String(120), index=True)
    account: Mapped[str] = mapped_column(String(60))
    view: Mapped[str] = mapped_column(String(40))
    purpose: Mapped[str] = mapped_column(String(500))
    basis: Mapped[str] = mapped_column(String(500))
    given_by: Mapped[str] = mapped_column(String(200))
    given_at: Mapped[datetime] = mapped_column(AT)
    expires_at: Mapped[datetime | None] = mapped_column(AT)
    ended_at: Mapped[datetime | None] = mapped_column(AT)


@dataclass(frozen=True)
class Scope:
    """What is opened to whom: `account` is empty where it is for the whole department; `view` names one of policy.yaml."""

    dataset: str
    department: str
    view: str
    account: str = ""
    purpose: str = ""
    basis: str = ""
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Grant:
    """A grant as it was given; moments are UTC."""

    id: int
    scope: Scope
    given_by: str
    given_at: datetime
    ended_at: datetime | None = None

    def until(self) -> datetime | None:
        """When it ends, or ended; None where nothing ends it."""
        moments = [at for at in (self.scope.expires_at, self.ended_at) if at is not None]
        return min(moments, default=None)

    def is_valid(self, at: datetime) -> bool:
        """Whether it lets its people through at a moment."""
        until = self.until()
        return until is None or at < until

    def state(self, at: datetime) -> GrantState:
        """Its state at a moment; one that was ended before its last day was over is ended, not expired."""
        if self.is_valid(at):
            return GrantState.VALID
        is_ended = self.ended_at is not None and self.until() == self.ended_at
        return GrantState.ENDED if is_ended else GrantState.EXPIRED

    def last_day(self) -> date | None:
        """The last day on which it counts, in the city's time zone; None where nothing ends it."""
        until = self.until()
        return (until.astimezone(SHANGHAI) - timedelta(microseconds=1)).date() if until else None

    def notice(self) -> str:
        """Number, purpose and end in Chinese, for people and for the log."""
        until = self.until()
        end = f"，有效至 {until.astimezone(SHANGHAI):%Y-%m-%d %H:%M}" if until else ""
        return f"依授权 {self.id}{f'，用途：{self.scope.purpose}' if self.scope.purpose else ''}{end}"

    def is_for(self, actor: Actor) -> bool:
        """Whether it is for the actor."""
        if self.scope.department != actor.department:
            return False
        return self.scope.account in ("", actor.name) or actor.name.endswith(f"（{self.scope.account}）")


@dataclass(frozen=True)
class Reading:
    """How an actor reads a dataset: the mask of each grade, and the grant that opens more than the role does."""

    view: View
    grant: Grant | None = None


class Grants:
    """Gives, ends and finds grants."""

    def __init__(self, database: Database) -> None:
        self._session = database.session

    def add(self, scope: Scope, by: Actor, at: datetime) -> Grant:
        """The new grant; InvalidGrant where its view is unknown, a text is too long, or it has ended already."""
        found = mistakes(scope, at)
        if found:
            raise InvalidGrant(found)
        with self._session() as session:
            row = GrantRow(**{**scope.__dict__, "given_by": by.name, "given_at": utc(at)})
            session.add(row)
            session.flush()
            return _grant(row)

    def end(self, id_: int, at: datetime) -> Grant:
        """The grant, which opens nothing after the moment; Unknown where there is none."""
        with self._session() as session:
            row = session.get(GrantRow, id_)
            if row is None:
                raise Unknown(f"没有编号为 {id_} 的授权")
            row.ended_at = min(utc(row.ended_at), utc(at)) if row.ended_at else utc(at)
            return _grant(row)

    def get(self, id_: int) -> Grant:
        """The grant; Unknown where there is none."""
        found = next((grant for grant in self.all() if grant.id == id_), None)
        if found is None:
            raise Unknown(f"没有编号为 {id_} 的授权")
        return found

    def all(self, dataset: str = "") -> tuple[Grant, ...]:
        """All grants, or those of a dataset, ended ones too, newest first."""
        where = [GrantRow.dataset == dataset] if dataset else []
        with self._session() as session:
            rows = session.scalars(select(GrantRow).where(*where).order_by(GrantRow.id.desc()))
            return tuple(_grant(row) for row in rows)

    def of(self, actor: Actor, at: datetime) -> tuple[Grant, ...]:
        """The grants that open something to the actor at a moment."""
        query = select(GrantRow).where(GrantRow.department == actor.department).order_by(GrantRow.id)
        with self._session() as session:
            found = [_grant(row) for row in session.scalars(query)]
        return tuple(grant for grant in found if grant.is_valid(at) and grant.is_for(actor))


def mistakes(scope: Scope, at: datetime) -> dict[str, str]:
    """What is wrong with a grant to be given at a moment, in Chinese, by option of `lake grants add`."""
    views = access_policy().views
    found = {
        "account": f"账号最多 {MOST_ACCOUNT} 个字" if len(scope.account) > MOST_ACCOUNT else "",
        "view": f"没有视图 {scope.view}；可以是：{'、'.join(views)}" if scope.view not in views else "",
        "purpose": f"用途最多 {MOST_WORDS} 个字" if len(scope.purpose) > MOST_WORDS else "",
        "basis": f"依据最多 {MOST_WORDS} 个字" if len(scope.basis) > MOST_WORDS else "",
        "until": "到期时间已过，请写以后的日期" if scope.expires_at is not None and scope.expires_at <= at else "",
    }
    return {name: text for name, text in found.items() if text}


def end_of_day(day: str, zone: ZoneInfo) -> datetime | None:
    """The end of a day as people write it, as UTC; None for no day, InvalidGrant for a text that is none."""
    if not day:
        return None
    try:
        after = datetime.strptime(day, "%Y-%m-%d").date() + timedelta(days=1)
        return datetime.combine(after, time(), zone).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        text = f"'{day[:40]}' is no day; write 2026-12-31 / 日期写法：2026-12-31"
        raise InvalidGrant({"until": text}) from error


def reading(actor: Actor, contract: Contract, grants: Sequence[Grant]) -> Reading | None:
    """How the actor reads the rows of a dataset or product; None where nothing opens it.

    A department's people read its own datasets, every product by grade, and what is granted; all others everything by
    grade. Of several grants, that counts which opens most; one counts only where it opens more than the role.
    """
    is_open = may_know(actor, contract.provider) or contract.kind == "product"
    best = Reading(view_of(actor, contract.provider)) if is_open else None
    for grant in grants:
        if grant.scope.dataset == contract.id:
            view = access_policy().views[grant.scope.view]
            if best is None or not _covers(best.view, view):
                best = Reading(_wider(best.view, view) if best else view, grant)
    return best


def rows_of_department(actor: Actor, contract: Contract) -> bool:
    """Whether the actor reads only those rows of a product that are about its own department."""
    has_owner = contract.product is not None and contract.product.department_field != ""
    return has_owner and acts_for_department(actor) and actor.department != contract.provider


def _covers(view: View, other: View) -> bool:
    return all(OPENNESS.index(view[grade]) >= OPENNESS.index(mask) for grade, mask in other.items())


def _wider(view: View, other: View) -> View:
    return {grade: max(mask, other[grade], key=OPENNESS.index) for grade, mask in view.items()}


def _grant(row: GrantRow) -> Grant:
    ends = utc(row.expires_at) if row.expires_at else None
    scope = Scope(row.dataset, row.department, row.view, row.account, row.purpose, row.basis, ends)
    ended = utc(row.ended_at) if row.ended_at else None
    return Grant(row.id, scope, row.given_by, utc(row.given_at), ended)
