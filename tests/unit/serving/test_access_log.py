"""The log of sensitive data that was shown: each row is a link of a chain; what was changed, removed or cut is told."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import MetaData, Table, create_engine, delete, update

from jobs.lake import database
from jobs.lake.database import Database, utc
from jobs.serving.access_log import Access, AccessLog
from jobs.serving.account_tables import AccessChainRow, AccessRow
from tests.unit.collaboration.samples import APPROVER, OFFICER, at

NOW = at("2026-01-12")
SHOWN = Access("view", "工单 T-000001", "divisions", "L3", "办理工单")


@pytest.fixture
def state(made_url: str) -> Iterator[Database]:
    made = Database(made_url)
    log = AccessLog(made)
    for number in range(4):
        log.add((APPROVER, OFFICER)[number % 2], SHOWN, NOW + timedelta(microseconds=number))
    yield made
    made.close()


def test_a_log_that_nobody_touched_is_whole_and_its_end_can_be_noted(state: Database) -> None:
    found = AccessLog(state).verified()
    assert (found.events, found.seq, found.broken) == (4, 4, None)
    AccessLog(state).add(OFFICER, SHOWN, NOW)
    assert AccessLog(state).verified((found.seq, found.head)).broken is None


@pytest.mark.parametrize("column", ["name", "role", "department", "action", "object", "dataset", "grade", "reason"])
def test_a_row_that_was_changed_is_named(state: Database, column: str) -> None:
    with state.session() as session:
        session.execute(update(AccessRow).where(AccessRow.seq == 2).values({column: "L4"}))
    found = AccessLog(state).verified()
    assert (found.broken, found.reason) == (2, "内容与哈希不符，记录被改动")


def moved(database: Database) -> None:
    with database.session() as session:
        session.execute(update(AccessRow).where(AccessRow.seq == 3).values(at=NOW - timedelta(days=1)))


def removed(database: Database) -> None:
    with database.session() as session:
        session.execute(delete(AccessRow).where(AccessRow.seq == 3))


def relinked(database: Database) -> None:
    with database.session() as session:
        session.execute(update(AccessRow).where(AccessRow.seq == 3).values(prev="0" * 64))


@pytest.mark.parametrize(
    ("change", "broken", "said"),
    [(moved, 3, "内容与哈希不符"), (removed, 4, "第 3 条记录缺失"), (relinked, 3, "不相接")],
)
def test_a_row_that_was_moved_or_removed_is_missed(
    state: Database, change: Callable[[Database], None], broken: int, said: str
) -> None:
    change(state)
    found = AccessLog(state).verified()
    assert found.broken == broken and said in found.reason


def test_an_end_that_was_cut_off_is_missed_or_else_told_by_a_note(state: Database) -> None:
    noted = AccessLog(state).verified()
    with state.session() as session:
        session.execute(delete(AccessRow).where(AccessRow.seq == 4))
    assert AccessLog(state).verified().broken == 4
    with state.session() as session:
        last = session.query(AccessRow).filter_by(seq=3).one()
        session.execute(update(AccessChainRow).values(seq=3, hash=last.hash))
    assert AccessLog(state).verified().broken is None, "nothing inside shows it"
    assert AccessLog(state).verified((noted.seq, noted.head)).broken == 4
    AccessLog(state).add(OFFICER, SHOWN, NOW)
    assert AccessLog(state).verified((noted.seq, noted.head)).reason == "与此前记下的哈希不符，链被重写"


def test_many_readers_at_once_are_all_noted_one_after_the_other(state: Database) -> None:
    log = AccessLog(state)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: log.add(OFFICER, SHOWN, NOW + timedelta(seconds=n)), range(40)))
    found = log.verified()
    assert (found.events, found.broken) == (44, None)


def test_rows_from_before_the_chain_are_its_beginning(url: str) -> None:
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        log = Table("access_log", MetaData(), autoload_with=connection)
        who = {"name": APPROVER.name, "role": APPROVER.role, "department": APPROVER.department}
        for number in range(3):
            connection.execute(log.insert().values(at=utc(NOW) + timedelta(seconds=number), **who, **SHOWN.__dict__))
    engine.dispose()
    now = Database(url)
    now.migrate()
    assert (AccessLog(now).verified().events, AccessLog(now).verified().broken) == (3, None)
    AccessLog(now).add(OFFICER, SHOWN, NOW)
    assert (AccessLog(now).verified().events, AccessLog(now).verified().broken) == (4, None)
    now.close()
