"""How soon the SQL service answers over 2 M rows: one person, twenty people by PostgreSQL's protocol, and `lake sql` on the same."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np
import psycopg
import pyarrow as pa
from adbc_driver_flightsql import dbapi
from deltalake import write_deltalake

from jobs import contracts
from jobs.embedded.endpoints import HOST
from jobs.lake.database import Database
from jobs.lake.delta_writing import storage_options
from jobs.lake.lake import Lake
from jobs.lake.table_schema import arrow_schema
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.pipeline.query import answer
from jobs.serving.accounts import Accounts, Person
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.tokens import Tokens
from tests.bench.common import Measures, stopwatch

ROWS, FILES, DEVICES, SEED = 2_000_000, 9, 60, 20260112
PEOPLE, EVERY_S, FOR_S = 20, 2.0, 30
DATASET = "heat_station_minutes"
FIRST = datetime(2026, 1, 12, tzinfo=UTC)
ANALYST = Actor("analyst", "bureau", "bench")
GROUP = f"SELECT device_id, count(*) AS n, avg(primary_supply_temp_c) AS mean FROM silver.{DATASET} GROUP BY device_id"
POINT = f"SELECT * FROM silver.{DATASET} WHERE device_id = 'S{{:03d}}' AND read_at = TIMESTAMPTZ '{{:%Y-%m-%d %H:%M:%S}}+00'"


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """A table by its contract; the first question of each kind is not counted, since it opens files."""
    registry = contracts.load(lake.settings.schemas, lake.settings.expectations)
    with stopwatch(f"writing {ROWS:,} rows"):
        _write(lake, registry.contract(DATASET))
    database = Database(lake.settings.state_url())
    database.migrate()
    service = SqlService(lake, database, lambda: registry)
    rng = np.random.default_rng(SEED)
    points = [POINT.format(int(d), FIRST + timedelta(minutes=int(m))) for d, m in rng.integers(0, DEVICES, (60, 2))]
    own = {
        "point": _p95([_ms(lambda sql=sql: service.ask(ANALYST, sql, "bench")) for sql in (points[0], *points)][1:]),  # type: ignore[misc]
        "group": _p95([_ms(lambda: service.ask(ANALYST, GROUP, "bench")) for _ in range(31)][1:]),
    }
    spark = {
        "point": _p95(
            [_ms(lambda sql=sql: answer(lake, sql.replace("TIMESTAMPTZ", "TIMESTAMP"), 100)) for sql in points[:11]][1:]
        ),  # type: ignore[misc]
        "group": _p95([_ms(lambda: answer(lake, GROUP, 100)) for _ in range(11)][1:]),
    }
    table = f"{ROWS:,} rows, {FILES} files on S3"
    measures.say("sql_point_p95_ms", own["point"], "≤ 100", f"{table}; lake sql {spark['point']:.0f} ms")
    measures.say("sql_group_p95_ms", own["group"], "≤ 300", f"{table}; lake sql {spark['group']:.0f} ms")
    wire, flight = _clients(database, lake, points)
    note = (
        f"{table}; server in a process of its own, one connection, whole answers; by psycopg on the wire {wire:.0f} ms"
    )
    measures.say("sql_flight_point_p95_ms", flight, "–", note)
    waits = _people(database, urlsplit(lake.settings.sql_url).port or 0, points)
    note = f"server in a process of its own; {PEOPLE} people, each connects and asks every {EVERY_S:g} s for {FOR_S} s; {len(waits)} answers, median {waits[len(waits) // 2]:.0f} ms"
    measures.say("sql_first_row_p95_ms", _p95(waits), "≤ 200", note)
    service.close()
    database.close()


def _clients(database: Database, lake: Lake, points: list[str]) -> tuple[float, float]:
    """p95 in milliseconds of the point queries by one client: psycopg, and ADBC over Flight SQL; the first ones are not counted."""
    now, name = datetime.now(UTC), "benchclient"
    Accounts(database).add(Person(name, "analyst", "bureau"), now)
    token = Tokens(database).add(name, "", now, now + timedelta(days=1))[1]
    port = urlsplit(lake.settings.sql_url).port or 0
    wire = psycopg.connect(host=HOST, port=port, user=name, password=token, dbname="lake", sslmode="disable")
    login = {"username": name, "password": token}
    with wire, dbapi.connect(lake.settings.sql_flight_url, db_kwargs=login, autocommit=True) as adbc:
        waits: tuple[list[float], list[float]] = ([], [])
        for sql in (*points[:5], *points):  # by turns, so that both meet the same load
            waits[0].append(_ms(lambda sql=sql: wire.execute(sql).fetchall()))  # type: ignore[misc]
            waits[1].append(_ms(lambda sql=sql: _read(adbc, sql)))  # type: ignore[misc]
    return _p95(waits[0][5:]), _p95(waits[1][5:])


def _read(connection: dbapi.Connection, sql: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        cursor.fetch_arrow_table()


def _people(database: Database, port: int, points: list[str]) -> list[float]:
    """Milliseconds from the connection to the first row, sorted; a fifth of the questions are group-bys."""
    accounts, now, tokens = Accounts(database), datetime.now(UTC), {}
    for number in range(PEOPLE):
        accounts.add(Person(f"bench{number}", "analyst", "bureau"), now)
        tokens[f"bench{number}"] = Tokens(database).add(f"bench{number}", "", now, now + timedelta(days=1))[1]

    def person(number: int) -> list[float]:
        name, waits = f"bench{number}", []
        began = time.perf_counter() + EVERY_S * number / PEOPLE
        for turn in range(int(FOR_S / EVERY_S)):
            time.sleep(max(0.0, began + turn * EVERY_S - time.perf_counter()))
            sql = GROUP if (number + turn) % 5 == 0 else points[(number * 7 + turn) % len(points)]
            waits.append(_ms(lambda sql=sql: _first_row(port, name, tokens[name], sql)))  # type: ignore[misc]
        return waits

    with ThreadPoolExecutor(PEOPLE) as pool:
        return sorted(wait for waits in pool.map(person, range(PEOPLE)) for wait in waits)


def _first_row(port: int, name: str, token: str, sql: str) -> None:
    with psycopg.connect(
        host=HOST, port=port, user=name, password=token, dbname="lake", sslmode="disable"
    ) as connection:
        connection.execute(sql).fetchone()  # type: ignore[call-overload]


def _ms(run: Callable[[], object]) -> float:
    began = time.perf_counter()
    run()
    return 1000 * (time.perf_counter() - began)


def _p95(waits: list[float]) -> float:
    return sorted(waits)[int(len(waits) * 0.95)]


def _write(lake: Lake, contract: contracts.Contract) -> None:
    """Sorted by time, as deliveries arrive; each file has its own span of time."""
    schema = arrow_schema(contract.fields)
    rng = np.random.default_rng(SEED)
    minutes = ROWS // DEVICES // FILES
    url = lake.delta.url(lake.path(Zone.SILVER, DATASET))
    devices = np.array([f"S{n:03d}" for n in range(DEVICES)])
    for part in range(FILES):
        count = minutes * DEVICES
        at = np.repeat(np.arange(minutes), DEVICES) + part * minutes
        columns = {
            "device_id": pa.array(np.tile(devices, minutes).tolist(), pa.string()),
            "read_at": pa.array(np.datetime64(FIRST.replace(tzinfo=None), "us") + at.astype("timedelta64[m]")).cast(
                pa.timestamp("us", tz="UTC")
            ),
        }
        for field in schema:
            if pa.types.is_floating(field.type):
                columns[field.name] = pa.array(rng.uniform(20, 90, count).round(2))
            elif field.name not in columns:
                columns[field.name] = pa.nulls(count, field.type)
        rows = pa.table([columns[field.name] for field in schema], schema=schema)
        write_deltalake(url, rows, mode="append", storage_options=storage_options(lake.settings))
