"""How far the queries of an account may go: the defaults of the settings, or what an operator sets for one account."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import select

from jobs.errors import UserError
from jobs.lake.database import Database
from jobs.model.actor import Actor
from jobs.serving.account_tables import AccountRow
from jobs.serving.accounts import account_of
from jobs.serving.cache import CachedValue
from jobs.serving.sql.query_tables import LimitRow
from jobs.settings import Settings

FRESH_S = 5.0
UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12, "KI": 2**10, "MI": 2**20, "GI": 2**30, "TI": 2**40}


@dataclass(frozen=True)
class Limits:
    """Of one account: seconds and rows of a query, memory of all its queries together, and how many run at a time."""

    seconds: float
    rows: int
    memory: str
    queries: int


@dataclass(frozen=True)
class Own:
    """What an operator set for an account; None: the default."""

    account: str
    seconds: int | None = None
    rows: int | None = None
    memory: str | None = None
    queries: int | None = None


class AccountLimits:
    """Reads and sets the limits of accounts."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self.default = Limits(settings.sql_timeout_s, settings.sql_rows, settings.sql_memory, settings.sql_queries)
        self._known: Callable[[], dict[Actor, Limits]] = CachedValue(self._read, FRESH_S).get

    def of(self, actor: Actor) -> Limits:
        """The actor's limits; what an operator sets counts after some seconds."""
        return self._known().get(actor, self.default)

    def set(self, own: Own) -> None:
        """Set the limits of an account; where all are None, it has the defaults again. UserError for an unknown account."""
        if own.memory:
            size_bytes(own.memory)
        with self._database.session() as session:
            account = session.scalar(select(AccountRow).where(AccountRow.name == own.account))
            if account is None:
                raise UserError(f"no account '{own.account}'; `lake accounts list` lists them / 没有账号 {own.account}")
            row = session.get(LimitRow, account.id) or LimitRow(account=account.id)
            row.seconds, row.rows, row.memory, row.queries = own.seconds, own.rows, own.memory, own.queries
            session.add(row)

    def all(self) -> tuple[Own, ...]:
        """What is set for accounts, by account."""
        query = select(AccountRow.name, LimitRow).join(LimitRow, LimitRow.account == AccountRow.id)
        with self._database.session() as session:
            rows = session.execute(query.order_by(AccountRow.name))
            return tuple(Own(name, row.seconds, row.rows, row.memory, row.queries) for name, row in rows)

    def _read(self) -> dict[Actor, Limits]:
        query = select(AccountRow, LimitRow).join(LimitRow, LimitRow.account == AccountRow.id)
        with self._database.session() as session:
            return {account_of(account).actor(): self._limits(row) for account, row in session.execute(query)}

    def _limits(self, row: LimitRow) -> Limits:
        given = {name: getattr(row, name) for name in ("seconds", "rows", "memory", "queries")}
        return replace(self.default, **{name: value for name, value in given.items() if value is not None})


def size_bytes(words: str) -> int:
    """Bytes of a size such as 512MB or 2GiB; UserError for any other text."""
    parts = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?I?)B?\s*", words.upper())
    if parts is None or parts[2] not in UNITS:
        raise UserError(f"'{words[:40]}' is no size; write 512MB or 2GiB / 容量写法：512MB、2GiB")
    return int(float(parts[1]) * UNITS[parts[2]])
