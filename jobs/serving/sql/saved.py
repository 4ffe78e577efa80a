"""Queries that people keep: their own, and those that others share."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from jobs.errors import PolicyRefusal, Unknown
from jobs.lake.database import Database, utc
from jobs.serving.account_tables import AccountRow
from jobs.serving.accounts import Account
from jobs.serving.sql.query_tables import SavedRow

MOST_TITLE, MOST_SQL, MOST_OF_ONE = 120, 20_000, 200


@dataclass(frozen=True)
class SavedQuery:
    """A query with its owner; a shared one is for all who may query, each under their own rights."""

    id: int
    owner: str
    title: str
    sql: str
    is_shared: bool
    is_own: bool


class SavedQueries:
    """The queries that an account sees."""

    def __init__(self, database: Database, account: Account) -> None:
        self._database, self._account = database, account

    def all(self) -> tuple[SavedQuery, ...]:
        """Own and shared queries, own ones first, by title."""
        with self._database.session() as session:
            found = [self._saved(row, owner) for row, owner in self._rows(session)]
        return tuple(sorted(found, key=lambda query: (not query.is_own, query.title)))

    def get(self, id_: int) -> SavedQuery:
        """The query; Unknown where it is another's and not shared."""
        found = next((query for query in self.all() if query.id == id_), None)
        if found is None:
            raise Unknown("没有这条保存的查询，或未共享")
        return found

    def add(self, title: str, sql: str, is_shared: bool, at: datetime) -> SavedQuery:
        """A new query of the account, or another text for its query of that title."""
        title = title.strip()
        if not 0 < len(title) <= MOST_TITLE:
            raise PolicyRefusal(f"请写查询名称，最多 {MOST_TITLE} 个字")
        if not 0 < len(sql.strip()) <= MOST_SQL:
            raise PolicyRefusal(f"请写查询语句，最多 {MOST_SQL:,} 个字")
        with self._database.session() as session:
            own = list(session.scalars(select(SavedRow).where(SavedRow.owner == self._account.id)))
            row = next((row for row in own if row.title == title), None)
            if row is None and len(own) >= MOST_OF_ONE:
                raise PolicyRefusal(f"每人最多保存 {MOST_OF_ONE} 条查询，请先删除不用的")
            if row is None:
                row = SavedRow(owner=self._account.id, title=title)
                session.add(row)
            row.sql, row.is_shared, row.changed_at = sql, is_shared, utc(at)
            session.flush()
            return self._saved(row, self._account.name)

    def remove(self, id_: int) -> None:
        """Remove a query of one's own; Unknown for any other."""
        with self._database.session() as session:
            row = session.get(SavedRow, id_)
            if row is None or row.owner != self._account.id:
                raise Unknown("没有这条保存的查询，或不是您保存的")
            session.delete(row)

    def _rows(self, session: Session) -> list[tuple[SavedRow, str]]:
        seen = or_(SavedRow.owner == self._account.id, SavedRow.is_shared)
        query = select(SavedRow, AccountRow.person, AccountRow.name).join(AccountRow, AccountRow.id == SavedRow.owner)
        return [(row, person or name) for row, person, name in session.execute(query.where(seen))]

    def _saved(self, row: SavedRow, owner: str) -> SavedQuery:
        return SavedQuery(row.id, owner, row.title, row.sql, row.is_shared, row.owner == self._account.id)
