"""Password attempts, counted by account, by client address, and by both; too many within a period are rejected unchecked."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from sqlalchemy import delete, func, select

from jobs.errors import LakeError
from jobs.lake.database import Database
from jobs.serving.account_tables import FailureRow

WINDOW = timedelta(minutes=15)
MOST_OF_BOTH, MOST_OF_NAME, MOST_OF_ADDRESS = 5, 20, 60


class TooManyTries(LakeError):
    """Too many recent attempts failed; this one is not checked."""


@contextmanager
def counted(database: Database, name: str, place: str, at: datetime) -> Iterator[None]:
    """One attempt; it counts as failed where the block raises. TooManyTries before the block is entered.

    It is recorded before the password is checked, so that concurrent attempts are counted too.
    """
    place = place[:64]
    own = _noted(database, name, place, at)
    if _is_too_many(database, name, place, at):
        with database.session() as session:
            session.execute(delete(FailureRow).where(FailureRow.id == own))
        raise TooManyTries("密码输错次数过多，请 15 分钟后再试；忘记密码请联系平台运维重置")
    yield
    with database.session() as session:
        session.execute(delete(FailureRow).where(FailureRow.name == name, FailureRow.address == place))
        session.execute(delete(FailureRow).where(FailureRow.at < at - 4 * WINDOW))


def _noted(database: Database, name: str, place: str, at: datetime) -> int:
    row = FailureRow(name=name, address=place, at=at)
    with database.session() as session:
        session.add(row)
        session.flush()
        return row.id


def _is_too_many(database: Database, name: str, place: str, at: datetime) -> bool:
    of_name, of_place = FailureRow.name == name, FailureRow.address == place
    limits = ((MOST_OF_BOTH, (of_name, of_place)), (MOST_OF_NAME, (of_name,)), (MOST_OF_ADDRESS, (of_place,)))
    with database.session() as session:
        for most, where in limits:
            query = select(func.count()).select_from(FailureRow).where(FailureRow.at > at - WINDOW, *where)
            if (session.scalar(query) or 0) > most:
                return True
    return False
