"""Limits of each account: what its queries may take, what it reads when they take more, and that others do not notice."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.errors import PolicyRefusal, UserError
from jobs.lake.database import Database
from jobs.model.actor import Actor
from jobs.serving.accounts import Accounts, Person
from jobs.serving.sql.answer import Run
from jobs.serving.sql.engine import MemoryExceeded, QueryStopped
from jobs.serving.sql.limits import Limits, Own, size_bytes
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.stopping import Stop
from tests.unit.serving.sql.city import TABLE, asked_lake

ENDLESS = "SELECT count(*) FROM range(1000000000) a, range(1000000) b"
LARGE = (
    "SELECT count(*) FROM (SELECT DISTINCT a.range, b.range, md5(a.range::VARCHAR) FROM range(3000) a, range(1000) b)"
)
ZHOU, QIAN = Actor("analyst", "bureau", "周（zhou）"), Actor("analyst", "bureau", "钱（qian）")
"""Two people with the same rights."""


@pytest.fixture
def service(tmp_path: Path, state: Database) -> Iterator[SqlService]:
    for name, person in (("zhou", "周"), ("qian", "钱")):
        Accounts(state).add(Person(name, "analyst", "bureau", person), datetime(2026, 1, 12, tzinfo=UTC), "unguessable")
    lake, cat = asked_lake(tmp_path)
    made = SqlService(lake, state, lambda: cat)  # type: ignore[arg-type]
    yield made
    made.close()


def test_each_account_has_what_is_set_for_it_and_the_others_have_the_defaults(service: SqlService) -> None:
    service._limits.set(Own("zhou", seconds=7, rows=10, memory="60MB", queries=1))
    usual = service.settings
    assert service._limits.of(ZHOU) == Limits(7, 10, "60MB", 1)
    assert service._limits.of(QIAN) == Limits(usual.sql_timeout_s, usual.sql_rows, usual.sql_memory, usual.sql_queries)
    for bad in (Own("nobody", seconds=1), Own("zhou", memory="much")):
        with pytest.raises(UserError):
            service._limits.set(bad)
    assert (size_bytes("1GiB"), size_bytes("60MB")) == (2**30, 60_000_000)


def test_memory_of_one_account_is_not_that_of_another_with_the_same_rights(service: SqlService) -> None:
    service._limits.set(Own("zhou", memory="60MB"))
    with pytest.raises(MemoryExceeded, match="查询占用内存超过您的上限 60MB"):
        service.ask(ZHOU, LARGE, "test")
    assert service.ask(QIAN, LARGE, "test").table.num_rows == 1
    assert service.ask(ZHOU, f"FROM {TABLE}", "test").table.num_rows == 2


def test_a_query_ends_after_the_time_of_its_account_and_others_go_on(service: SqlService) -> None:
    service._limits.set(Own("zhou", seconds=0))
    with pytest.raises(QueryStopped, match="超过您的时限 0 秒"):
        service.ask(ZHOU, ENDLESS, "test")
    assert service.ask(QIAN, f"FROM {TABLE}", "test").table.num_rows == 2


def test_rows_beyond_the_limit_of_the_account_are_cut_off(service: SqlService) -> None:
    service._limits.set(Own("zhou", rows=10))
    cut = service.ask(ZHOU, "FROM range(11)", "test", run=Run(1000))
    assert (cut.table.num_rows, cut.is_cut) == (10, True)
    whole = service.ask(ZHOU, "FROM range(10)", "test")
    assert (whole.table.num_rows, whole.is_cut) == (10, False)
    assert service.ask(QIAN, "FROM range(11)", "test").is_cut is False


def test_an_account_runs_so_many_queries_at_a_time_and_a_cancelled_one_is_over(service: SqlService) -> None:
    service._limits.set(Own("zhou", queries=1))
    stop = Stop()
    with ThreadPoolExecutor() as pool:
        running = pool.submit(service.ask, ZHOU, ENDLESS, "test", (), Run(stop=stop))
        while not service._running:
            pass
        with pytest.raises(PolicyRefusal, match="您已有 1 条查询在运行"):
            service.ask(ZHOU, "SELECT 1", "test")
        assert service.ask(QIAN, "SELECT 1", "test").table.num_rows == 1
        stop.cancel()
        with pytest.raises(QueryStopped, match="已取消"):
            running.result()
    assert service.ask(ZHOU, "SELECT 1", "test").table.num_rows == 1


def test_a_query_that_the_memory_of_others_leaves_no_room_for_gets_a_database_of_its_own(
    tmp_path: Path, state: Database
) -> None:
    Accounts(state).add(Person("zhou", "analyst", "bureau", "周"), datetime(2026, 1, 12, tzinfo=UTC), "unguessable")
    lake, cat = asked_lake(tmp_path)
    lake.settings = lake.settings.model_copy(update={"sql_memory": "60MB"})
    service = SqlService(lake, state, lambda: cat)  # type: ignore[arg-type]
    service._limits.set(Own("zhou", memory="1GB"))
    assert service.ask(ZHOU, LARGE, "test").table.num_rows == 1
    with pytest.raises(MemoryExceeded, match="您的上限 60MB"):
        service.ask(QIAN, LARGE, "test")
    assert len(service._engines._open) == 3
    service.close()


def test_databases_that_nobody_uses_are_closed_for_those_who_ask(service: SqlService) -> None:
    service.ask(ZHOU, "SELECT 1", "test")
    service._engines._most_bytes = -1
    service.ask(Actor("reporter", "civil_affairs", "王"), "SELECT 1", "test")
    assert len(service._engines._open) == 1


def test_a_query_over_very_large_tables_runs_only_when_it_is_asked_for(tmp_path: Path, state: Database) -> None:
    lake, cat = asked_lake(tmp_path)
    lake.settings = lake.settings.model_copy(update={"sql_read": "1KB"})
    service = SqlService(lake, state, lambda: cat)  # type: ignore[arg-type]
    with pytest.raises(PolicyRefusal, match="允许大查询"):
        service.ask(ZHOU, f"FROM {TABLE}", "test")
    assert service.ask(ZHOU, f"EXPLAIN FROM {TABLE}", "test").table["bytes"].to_pylist()[0] > 1000
    assert service.ask(ZHOU, f"FROM {TABLE}", "test", run=Run(is_large=True)).table.num_rows == 2
    service.close()
