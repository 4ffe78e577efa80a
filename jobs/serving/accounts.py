"""Accounts: created by an operator with a one-time password, checked at login, throttled after failures."""

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from jobs.access.roles import roles_of_people
from jobs.errors import UserError
from jobs.lake.database import Database, utc
from jobs.model.actor import Actor
from jobs.serving import passwords
from jobs.serving.account_tables import AccountRow, SessionRow
from jobs.serving.throttle import counted

NAME = re.compile(r"[a-z][a-z0-9_.-]{1,59}")
MOST_PERSON, MOST_DEPARTMENT = 50, 120
"""Characters; a person with the account's name behind it still fits the actor column of tickets."""

REFUSED = "账号或密码不正确"


class LoginRefused(UserError):
    """Name or password is wrong, or the account is disabled; the message does not say which."""


@dataclass(frozen=True)
class Account:
    """Somebody who may log in."""

    id: int
    name: str
    person: str
    role: str
    department: str
    must_change: bool
    is_disabled: bool
    last_login_at: datetime | None

    def actor(self) -> Actor:
        """The account as an actor."""
        return Actor(self.role, self.department, f"{self.person}（{self.name}）" if self.person else self.name)


@dataclass(frozen=True)
class Person:
    """A new account as an operator enters it."""

    name: str
    role: str
    department: str
    person: str = ""


@dataclass(frozen=True)
class Identity:
    """Somebody as an identity provider knows them, with the role and department that this means here."""

    subject: str
    name: str
    person: str
    role: str
    department: str


class Accounts:
    """Reads and writes accounts; every method is one transaction, moments are UTC."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, person: Person, at: datetime, password: str | None = None) -> str:
        """The new account's password; a generated one has to be changed at the first login."""
        check_person(person)
        secret = password or passwords.one_time()
        with self._database.session() as session:
            if _row(session, person.name) is not None:
                raise UserError(f"账号 {person.name} 已存在；请换一个名称")
            session.add(
                AccountRow(
                    name=person.name,
                    person=person.person,
                    role=person.role,
                    department=person.department,
                    password_hash=passwords.hashed(secret),
                    must_change=password is None,
                    is_disabled=False,
                    created_at=utc(at),
                )
            )
        return secret

    def reset(self, name: str) -> str:
        """A new one-time password; ends all logins of the account."""
        secret = passwords.one_time()
        with self._database.session() as session:
            row = _known(session, name)
            row.password_hash, row.must_change = passwords.hashed(secret), True
            _end_sessions(session, row.id)
        return secret

    def disable(self, name: str) -> None:
        """Disable the account and end all its logins."""
        with self._database.session() as session:
            row = _known(session, name)
            row.is_disabled = True
            _end_sessions(session, row.id)

    def list(self) -> tuple[Account, ...]:
        """All accounts, by name."""
        with self._database.session() as session:
            return tuple(account_of(row) for row in session.scalars(select(AccountRow).order_by(AccountRow.name)))

    def checked(self, name: str, password: str, place: str, at: datetime) -> Account:
        """The account of a name and password; LoginRefused, or TooManyTries after many of those."""
        name = name.strip().lower()[:60]
        with counted(self._database, name, place, utc(at)):
            with self._database.session() as session:
                row = _row(session, name)
                stored_hash = None if row is None or row.is_disabled else row.password_hash
            if not passwords.fits(password, stored_hash):
                raise LoginRefused(REFUSED)
        with self._database.session() as session:
            row = _known(session, name)
            row.last_login_at = utc(at)
            return account_of(row)

    def recognised(self, identity: Identity, at: datetime) -> Account:
        """The account of somebody whom the identity provider knows, created at the first login; role and department are updated from it."""
        with self._database.session() as session:
            row = session.scalar(select(AccountRow).where(AccountRow.subject == identity.subject))
            if row is not None and row.is_disabled:
                raise LoginRefused("账号已停用，请联系平台运维")
            if row is None:
                row = AccountRow(
                    name=_free_name(session, identity),
                    subject=identity.subject,
                    must_change=False,
                    is_disabled=False,
                    created_at=utc(at),
                )
                session.add(row)
            row.person, row.role, row.department, row.last_login_at = (
                identity.person,
                identity.role,
                identity.department,
                utc(at),
            )
            session.flush()
            return account_of(row)

    def changed(self, account: Account, old: str, new: str, place: str, at: datetime) -> None:
        """Set another password; all logins with the old one end. Wrong old ones are counted as at the login."""
        with counted(self._database, account.name, place, utc(at)):
            with self._database.session() as session:
                stored_hash = _known(session, account.name).password_hash
            if not passwords.fits(old, stored_hash):
                raise LoginRefused("原密码不正确")
        if old == new:
            raise UserError("新密码与原密码相同")
        passwords.check_new(new, (account.name, account.person, account.department))
        with self._database.session() as session:
            row = _known(session, account.name)
            row.password_hash, row.must_change = passwords.hashed(new), False
            _end_sessions(session, row.id)


def check_person(person: Person) -> None:
    """UserError in Chinese where a name, role or department is invalid."""
    roles = roles_of_people()
    if not NAME.fullmatch(person.name):
        raise UserError("账号名须以小写字母开头，只含小写字母、数字和 _ . -，2 至 60 个字符")
    if person.role not in roles:
        raise UserError(f"没有角色 {person.role}；可以是：{'、'.join(f'{n}（{label}）' for n, label in roles.items())}")
    if not 0 < len(person.department) <= MOST_DEPARTMENT:
        raise UserError("请写明部门（数据契约中的 provider）")
    if len(person.person) > MOST_PERSON:
        raise UserError(f"姓名最多 {MOST_PERSON} 个字")


def account_of(row: AccountRow) -> Account:
    """The row as a value."""
    last = utc(row.last_login_at) if row.last_login_at else None
    return Account(row.id, row.name, row.person, row.role, row.department, row.must_change, row.is_disabled, last)


def _row(session: Session, name: str) -> AccountRow | None:
    return session.scalar(select(AccountRow).where(AccountRow.name == name))


def _known(session: Session, name: str) -> AccountRow:
    row = _row(session, name)
    if row is None:
        raise UserError(f"没有账号 {name}；`lake accounts list` 列出全部账号")
    return row


def _free_name(session: Session, identity: Identity) -> str:
    """The provider's name where it is valid and unused; never the name of an existing account with a password."""
    mark = hashlib.sha256(identity.subject.encode()).hexdigest()[:8]
    preferred = identity.name.lower()
    if not NAME.fullmatch(preferred):
        return f"oidc-{mark}"
    return preferred if _row(session, preferred) is None else f"{preferred[:50]}-{mark}"


def _end_sessions(session: Session, account: int) -> None:
    session.execute(delete(SessionRow).where(SessionRow.account == account))
