"""What the Flight SQL server keeps between calls: for whom, for how long, and how much."""

from collections.abc import Iterator
from concurrent.futures import wait
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from threading import Event

import pyarrow as pa
import pytest
from pyarrow import flight as arrow_flight

from jobs.contracts.grades import OPEN
from jobs.embedded.endpoints import HOST
from jobs.errors import LakeError, Unknown, UserError
from jobs.lake.database import Database
from jobs.model.actor import Actor
from jobs.serving.accounts import Accounts, Person
from jobs.serving.grant_service import GrantService
from jobs.serving.sql.answer import Answer, Grade
from jobs.serving.sql.flight.answers import KEPT_S, MOST_OF_ONE, SHARE, Answers, Kept
from jobs.serving.sql.flight.catalogue import is_like, rows_of
from jobs.serving.sql.flight.login import IDLE_S
from jobs.serving.sql.flight.messages import packed, unpacked
from jobs.serving.sql.flight.schemas import SQL_INFO
from jobs.serving.sql.flight.server import FlightSqlServer
from jobs.serving.sql.flight.statements import MOST_OF_ONE as MOST_STATEMENTS
from jobs.serving.sql.flight.statements import Statements, numbered
from jobs.serving.sql.gate import MOST_CHARS
from jobs.serving.sql.logins import Logins
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.stopping import Stop
from jobs.serving.sql.tokens import Tokens
from tests.unit.serving.sql.city import OWNER, PERSONS, STRANGER, TABLE, asked_lake
from tests.unit.serving.sql.flight_server import Client, Flight
from tests.unit.serving.sql.test_granted import Clock, scope

ZHOU, QIAN = ((number, Actor("analyst", "bureau", name)) for number, name in ((1, "周"), (2, "钱")))
BYTES = 8000


@pytest.fixture
def now() -> list[float]:
    return [0.0]


@pytest.fixture
def answers(now: list[float]) -> Iterator[Answers]:
    """With room for four answers, of one account for one."""
    made = Answers(SHARE * BYTES, lambda: now[0])
    yield made
    made.close()


def answer(size: int = BYTES) -> Answer:
    """An answer of so many bytes."""
    return Answer("id", pa.table({"n": pa.array([0] * (size // 8), pa.int64())}), Grade(OPEN, False, ()))


def started(answers: Answers, owner: tuple[int, Actor], size: int = BYTES) -> bytes:
    """The handle of an answer that is there."""
    handle, kept = answers.start(owner, lambda stop: answer(size))
    wait([kept.future])
    return handle


def is_kept(answers: Answers, handle: bytes, owner: tuple[int, Actor] = ZHOU) -> bool:
    try:
        answers.reading(handle, owner)
    except Unknown:
        return False
    return True


def test_an_answer_is_read_once_and_only_by_its_owner(answers: Answers) -> None:
    handle = started(answers, ZHOU)
    for other in (QIAN, (ZHOU[0], replace(ZHOU[1], role="auditor"))):
        assert not is_kept(answers, handle, other) and not answers.cancel(handle, other)
    assert is_kept(answers, handle) and not is_kept(answers, handle)
    assert answers.size_bytes == BYTES
    answers.drop(handle)
    assert answers.size_bytes == 0


def test_an_answer_that_is_not_read_in_time_is_dropped_and_one_that_is_read_is_not(
    answers: Answers, now: list[float]
) -> None:
    old, read = started(answers, ZHOU, 80), started(answers, ZHOU, 80)
    assert is_kept(answers, read)
    now[0] = KEPT_S - 1
    answers.sweep()
    assert answers.size_bytes == 160
    now[0] = KEPT_S
    answers.sweep()
    assert answers.size_bytes == 80 and not is_kept(answers, old)


def test_a_running_query_is_kept_however_long_it_takes_and_stopped_when_it_is_dropped(
    answers: Answers, now: list[float]
) -> None:
    begun, stops = Event(), []

    def ask(stop: Stop) -> Answer:
        stops.append(stop)
        begun.wait(60)
        return answer()

    handle, kept = answers.start(ZHOU, ask)
    now[0] = 10 * KEPT_S
    answers.sweep()
    assert answers.cancel(handle, ZHOU) and kept.stop.is_cancelled
    begun.set()
    wait([kept.future])
    assert stops == [kept.stop] and answers.size_bytes == 0


def test_one_account_keeps_so_much_and_its_own_oldest_answers_make_room(answers: Answers) -> None:
    others = started(answers, QIAN)
    first, second = started(answers, ZHOU, BYTES // 2), started(answers, ZHOU, BYTES // 2)
    third = started(answers, ZHOU, BYTES // 2)
    assert [is_kept(answers, handle) for handle in (first, second, third)] == [False, True, True]
    assert is_kept(answers, others, QIAN)
    refused = started(answers, ZHOU, BYTES // 2)
    with pytest.raises(UserError, match="未取完的结果过多"):
        answers.reading(refused, ZHOU).future.result()


def test_a_single_answer_may_be_larger_and_all_together_have_a_limit(answers: Answers) -> None:
    small = started(answers, QIAN)
    large = started(answers, ZHOU, SHARE * BYTES)
    assert not is_kept(answers, small, QIAN) and is_kept(answers, large)


def test_so_many_answers_of_one_account_are_kept(answers: Answers) -> None:
    handles = [started(answers, ZHOU, 8) for _ in range(MOST_OF_ONE + 1)]
    assert len(answers._kept) == MOST_OF_ONE
    assert not is_kept(answers, handles[0])
    assert all(is_kept(answers, handle) for handle in handles[1:])
    with pytest.raises(UserError, match="未取完的结果过多"):
        answers.start(ZHOU, lambda stop: answer())


def test_a_failed_query_gives_its_error_to_those_who_read(answers: Answers) -> None:
    def ask(stop: Stop) -> Answer:
        raise UserError("refused")

    handle, kept = answers.start(ZHOU, ask)
    wait([kept.future])
    reading: Kept = answers.reading(handle, ZHOU)
    with pytest.raises(UserError, match="refused"):
        reading.future.result()


def test_prepared_statements_belong_to_an_account_and_end_when_idle(now: list[float]) -> None:
    statements = Statements(lambda: now[0])
    handle = statements.add(ZHOU, "SELECT 1")
    now[0] = IDLE_S - 1
    assert statements.of(handle, ZHOU).sql == "SELECT 1"
    now[0] = 2 * IDLE_S - 2
    assert statements.of(handle, ZHOU).sql == "SELECT 1"
    now[0] = 3 * IDLE_S
    with pytest.raises(Unknown):
        statements.of(handle, ZHOU)
    kept = [statements.add(ZHOU, str(number)) for number in range(MOST_STATEMENTS)]
    other = statements.add(QIAN, "other")
    now[0] += 1
    statements.of(kept[0], ZHOU)
    statements.add(ZHOU, "one more")
    assert statements.of(kept[0], ZHOU).sql == "0" and statements.of(other, QIAN).sql == "other"
    assert sum(statement.owner == ZHOU for statement in statements._kept.values()) == MOST_STATEMENTS
    statements.close(kept[0], ZHOU)
    for owner in (ZHOU, QIAN):
        with pytest.raises(Unknown):
            statements.of(kept[0], owner)


@pytest.mark.parametrize(
    ("sql", "written", "count"),
    [
        ("SELECT ?, '?', \"?\" -- ?\n, ?::INT /* ? */ LIMIT ?", "SELECT $1, '?', \"?\" -- ?\n, $2::INT /* ? */ LIMIT $3", 3),
        ("SELECT $2, $1, '$7'", "SELECT $2, $1, '$7'", 2),
        ("SELECT '文' || ?", "SELECT '文' || $1", 1),
        ("SELECT $name, '", "SELECT $name, '", 0),
    ],
)  # fmt: skip
def test_parameters_are_numbered_by_their_place(sql: str, written: str, count: int) -> None:
    assert numbered(sql) == (written, count)


@pytest.mark.parametrize(
    ("name", "pattern", "expected"),
    [("abc", "abc", True), ("abc", "a_c", True), ("abc", "%", True), ("abc", "a%c%", True), ("abc", "%b", False), ("abc", "", False),
     ("a.c", "a_c", True), ("abc", "a.c", False), ("a" * 60, "%a" * 100, False), ("a" * 60, "%a" * 50, True)],
)  # fmt: skip
def test_patterns_are_those_of_like(name: str, pattern: str, expected: bool) -> None:
    assert is_like(name, pattern) is expected


def test_the_server_says_what_it_can_do(asked: SqlService) -> None:
    name, command = unpacked(packed("CommandGetSqlInfo", info=[0, 3, 8, 9999, 10, 557, 509, 517, 0]))
    info = rows_of(asked, ZHOU[1], name, command)
    assert info.schema == SQL_INFO
    found = {row["info_name"]: row["value"] for row in info.to_pylist()}
    assert found == {0: "city-lake", 3: True, 8: 0, 10: False, 557: MOST_CHARS, 509: [], 517: []}
    places = {row.as_py(): info["value"].chunk(0).type_codes[at].as_py() for at, row in enumerate(info["info_name"])}
    assert places == {0: 0, 3: 1, 8: 3, 10: 1, 557: 2, 509: 4, 517: 5}
    whole = rows_of(asked, ZHOU[1], *unpacked(packed("CommandGetSqlInfo")))
    assert whole["info_name"].to_pylist()[:4] == [0, 3, 4, 5] and {1, 2, 575} < set(whole["info_name"].to_pylist())


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def granted(state: Database, clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """An account of another department, to whom a table is opened for a day."""
    Accounts(state).add(Person("wu", STRANGER.role, STRANGER.department, "吴"), clock.at, "unguessable")
    secret = Tokens(state).add("wu", "", clock.at, clock.at + timedelta(days=9))[1]
    lake, cat = asked_lake(tmp_path_factory.mktemp("granted"))
    service = SqlService(lake, state, lambda: cat, clock)  # type: ignore[arg-type]
    GrantService(state, cat, clock).give(OWNER, scope())
    server = FlightSqlServer((HOST, 0), service, Logins(state, clock))
    yield Client(arrow_flight.connect(f"grpc://{HOST}:{server.port}"), secret)
    server.close()
    service.close()


def test_an_answer_by_a_grant_is_not_read_once_the_grant_has_expired(granted: Client, clock: Clock) -> None:
    table = granted.query(f"SELECT legal_rep_name FROM {TABLE} ORDER BY uscc DESC")
    assert table["legal_rep_name"].to_pylist() == list(PERSONS)
    assert "联合执法" in (table.schema.metadata or {})[b"lake.notice"].decode()
    ticket = granted.info("CommandStatementQuery", query=f"FROM {TABLE}").endpoints[0].ticket
    clock.at += timedelta(days=1)
    with pytest.raises(arrow_flight.FlightServerError, match="授权已到期"):
        granted.read(ticket).read_all()
    with pytest.raises(arrow_flight.FlightServerError, match="没有表"):
        granted.query(f"FROM {TABLE}")


def test_a_closed_server_stops_its_queries(flight: Flight) -> None:
    service = flight.wire.server.service
    server = FlightSqlServer((HOST, 0), service, Logins(flight.wire.database, lambda: datetime.now(UTC)))
    client = Client(arrow_flight.connect(f"grpc://{HOST}:{server.port}"), flight.wire.tokens["analyst"])
    server.wait_s = 0.0
    client.info("CommandStatementQuery", query="SELECT count(*) FROM range(1000000000) a, range(1000000) b")
    (kept,) = server.answers._kept.values()
    server.close()
    assert isinstance(kept.future.exception(), LakeError)
    with pytest.raises(arrow_flight.FlightUnavailableError):
        client.query("SELECT 1")
