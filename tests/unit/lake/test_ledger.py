"""The ledger on both of its databases: SQLite as on a laptop, PostgreSQL as in production."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, create_engine, select, text
from sqlalchemy.exc import IntegrityError

from jobs.access import grants  # noqa: F401  (its tables are expected too)
from jobs.collaboration import ticket_tables  # noqa: F401  (its tables are expected too)
from jobs.errors import ServiceUnavailable, UserError
from jobs.lake import database, stream_tables  # noqa: F401  (its tables are expected too)
from jobs.lake.database import HEAD
from jobs.lake.ledger import Arrival, Build, Ledger, content_sha256
from jobs.lake.ledger_tables import Base
from jobs.model.delivery import Finding, State
from jobs.serving import account_tables  # noqa: F401  (its tables are expected too)
from jobs.serving.collector import keys  # noqa: F401
from jobs.serving.sql import query_tables  # noqa: F401
from jobs.streams import alarm_store  # noqa: F401
from tests.postgres import free_port

NOW = datetime(2026, 1, 12, 8, tzinfo=UTC)
FIRST = Arrival(
    dataset="heat", provider="p", sha256="a" * 64, size_bytes=7, objects=("received/a",), seen=(("landing/a", "e1"),)
)


@pytest.fixture
def ledger(url: str) -> Iterator[Ledger]:
    opened = Ledger(url)
    opened.migrate()
    yield opened
    opened.close()


def other(letter: str, **changes: object) -> Arrival:
    """Other content, in another object."""
    return replace(FIRST, sha256=letter * 64, seen=((f"landing/{letter}", "e"),), **changes)  # type: ignore[arg-type]


def test_the_same_content_is_one_entry_and_its_repeats_are_counted(ledger: Ledger) -> None:
    first, is_new = ledger.record(FIRST, NOW)
    repeat, is_repeat_new = ledger.record(replace(FIRST, seen=(("landing/b", "e1"),)), NOW)
    ledger.record(replace(FIRST, seen=(("landing/b", "e1"),)), NOW)  # the same object seen again is no repeat
    assert (is_new, is_repeat_new, repeat.id) == (True, False, first.id)
    assert first.received_at == NOW and first.objects == ("received/a",)
    assert ledger.repeats(first.id) == 1
    assert ledger.etags(["landing/b", "landing/never"]) == {"landing/b": "e1"}
    assert len(ledger.deliveries()) == 1


def seen_at(key: str, etag: str = "e1", **changes: object) -> Arrival:
    """The first content, in another object."""
    return replace(FIRST, seen=((key, etag),), **changes)  # type: ignore[arg-type]


def test_the_same_content_after_something_newer_is_a_delivery_of_its_own(ledger: Ledger) -> None:
    monday, _ = ledger.record(FIRST, NOW)
    ledger.record(other("b"), NOW)
    wednesday, is_new = ledger.record(seen_at("landing/c"), NOW)
    assert (is_new, wednesday.id, wednesday.sha256) == (True, f"{monday.id}-2", monday.sha256)
    assert wednesday.seq > monday.seq and ledger.get(monday.id).received_at == NOW
    repeat, is_new = ledger.record(seen_at("landing/d"), NOW)
    assert (is_new, repeat.id, ledger.repeats(wednesday.id)) == (False, wednesday.id, 1)
    tuesday, is_new = ledger.record(replace(other("b"), seen=(("landing/e", "e"),)), NOW)
    assert is_new and tuesday.id.endswith("b-2")
    friday, _ = ledger.record(seen_at("landing/f"), NOW)
    assert friday.id == f"{monday.id}-3"


def test_a_newer_delivery_of_another_dataset_leaves_a_repeat_a_repeat(ledger: Ledger) -> None:
    first, _ = ledger.record(FIRST, NOW)
    ledger.record(other("b", dataset="water"), NOW)
    assert ledger.record(seen_at("landing/c"), NOW) == (first, False)


def test_an_object_overwritten_with_its_first_bytes_is_a_new_delivery(ledger: Ledger) -> None:
    """The usual case: one object, overwritten every day."""
    ledger.record(FIRST, NOW)
    ledger.record(replace(other("b"), seen=(("landing/a", "e2"),)), NOW)
    assert ledger.etags(["landing/a"]) == {"landing/a": "e2"}
    returned, is_new = ledger.record(FIRST, NOW)
    assert (
        is_new and ledger.etags(["landing/a"]) == {"landing/a": "e1"} and ledger.delivery_of("landing/a") == returned.id
    )
    assert ledger.record(FIRST, NOW) == (returned, False), "an unchanged object is no new delivery"


def test_an_unchanged_object_stays_with_its_delivery(ledger: Ledger) -> None:
    first, _ = ledger.record(FIRST, NOW)
    ledger.record(other("b"), NOW)
    assert ledger.record(FIRST, NOW) == (first, False), "a worker that was slow, or died after its query"


def test_a_covering_letter_with_new_content_makes_a_delivery_of_the_same_bytes(ledger: Ledger) -> None:
    older, _ = ledger.record(other("b"), NOW)
    first, _ = ledger.record(FIRST, NOW)
    _, is_new = ledger.record(seen_at("landing/c", supersedes=first.id), NOW)
    assert not is_new, "it replaces itself"
    second, is_new = ledger.record(seen_at("landing/d", supersedes=older.id), NOW)
    assert is_new and second.supersedes == older.id
    _, is_new = ledger.record(seen_at("landing/e", supersedes=older.id), NOW)
    assert not is_new
    third, is_new = ledger.record(seen_at("landing/f", answers=("T-1",)), NOW)
    assert is_new and third.id == f"{first.id}-3"


def test_eight_workers_at_once_record_a_returning_content_exactly_once(ledger: Ledger) -> None:
    ledger.record(FIRST, NOW)
    ledger.record(other("b"), NOW)

    def work(worker: int) -> list[bool]:
        return [ledger.record(seen_at(key), NOW)[1] for key in ("landing/same", f"landing/{worker}")]

    with ThreadPoolExecutor(8) as pool:
        new_flags = [is_new for answer in pool.map(work, range(8)) for is_new in answer]
    assert sum(new_flags) == 1 and [d.id[-2:] for d in ledger.deliveries()] == ["aa", "bb", "-2"]
    assert ledger.repeats(ledger.deliveries()[-1].id) == 8


def test_the_same_bytes_are_a_delivery_for_each_dataset(ledger: Ledger) -> None:
    ledger.record(FIRST, NOW)
    _, is_new = ledger.record(replace(FIRST, dataset="water", seen=(("landing/w", "e"),)), NOW)
    assert is_new and len(ledger.deliveries()) == 2


def test_eight_workers_at_once_record_each_object_exactly_once(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        new_flags = [
            is_new
            for answer in pool.map(lambda _: [ledger.record(other(c), NOW)[1] for c in "abcdef"], range(8))
            for is_new in answer
        ]
    entries = ledger.deliveries()
    assert sum(new_flags) == len(entries) == 6
    assert [ledger.repeats(d.id) for d in entries] == [0] * 6


def test_eight_workers_at_once_record_a_content_exactly_once_and_its_repeats(ledger: Ledger) -> None:
    def work(worker: int) -> bool:
        return ledger.record(replace(FIRST, seen=((f"landing/{worker}", "e"),)), NOW)[1]

    with ThreadPoolExecutor(8) as pool:
        new_flags = list(pool.map(work, range(8)))
    (entry,) = ledger.deliveries()
    assert sum(new_flags) == 1 and ledger.repeats(entry.id) == 7


def test_eight_workers_that_see_the_same_object_record_it_once(ledger: Ledger) -> None:
    with ThreadPoolExecutor(8) as pool:
        new_flags = [is_new for _, is_new in pool.map(lambda _: ledger.record(FIRST, NOW), range(8))]
    (entry,) = ledger.deliveries()
    assert (sum(new_flags), ledger.repeats(entry.id)) == (1, 0)


def test_a_correction_and_what_it_replaces_know_each_other(ledger: Ledger) -> None:
    old, _ = ledger.record(FIRST, NOW)
    new, _ = ledger.record(other("b", supersedes=old.id), NOW)
    assert new.supersedes == old.id
    assert ledger.get(old.id).superseded_by is None, "a correction that is not evaluated yet replaces nothing"
    ledger.supersede([old.id], new.id)
    assert ledger.get(old.id).superseded_by == new.id


def test_a_state_is_stored_with_its_findings(ledger: Ledger) -> None:
    entry, _ = ledger.record(FIRST, NOW)
    finding = Finding("column_extra", "有约定之外的列", {"columns": ["备注"]})
    loaded = ledger.move(entry.id, State.LOADED, counted_rows=3, findings=[finding])
    assert (entry.state, loaded.state, loaded.counted_rows, loaded.findings) == (
        State.LANDED,
        State.LOADED,
        3,
        (finding,),
    )
    refused = ledger.move(entry.id, State.REFUSED, reason="整批拒收")
    assert (refused.reason, refused.counted_rows) == ("整批拒收", 3)
    assert [d.id for d in ledger.deliveries(states=(State.REFUSED,))] == [entry.id]
    assert ledger.deliveries(states=(State.LANDED, State.LOADED)) == ()


def test_entries_are_in_order_of_arrival_and_can_be_filtered(ledger: Ledger) -> None:
    for letter in "dbca":
        ledger.record(other(letter, provider="q" if letter == "c" else "p"), NOW)
    assert [d.sha256[0] for d in ledger.deliveries("heat")] == list("dbca")
    assert [d.sha256[0] for d in ledger.deliveries(provider="q")] == ["c"]
    with pytest.raises(UserError, match="no delivery 'gone'"):
        ledger.get("gone")


def test_a_started_conform_is_recorded(ledger: Ledger) -> None:
    entry, _ = ledger.record(FIRST, NOW)
    assert [ledger.start_conform(entry.id), ledger.start_conform(entry.id)] == [False, True]
    ledger.delete_conform_rows(entry.id)
    assert ledger.start_conform(entry.id) is False


def test_the_last_build_of_a_product_replaces_the_one_before(ledger: Ledger) -> None:
    assert ledger.build("day") is None
    for version in (1, 2):
        ledger.record_build(Build("day", {"heat": version}, version, 10, NOW))
    assert ledger.build("day") == Build("day", {"heat": 2}, 2, 10, NOW)


def test_migrations_run_twice_and_by_several_processes_at_once(url: str) -> None:
    program = (
        "import sys; from jobs.lake.ledger import Ledger; from jobs.lake.session import retrying;"
        " retrying(Ledger(sys.argv[1]).migrate, 30)()"
    )
    started = [subprocess.Popen([sys.executable, "-c", program, url]) for _ in range(2)]
    assert [process.wait(60) for process in started] == [0, 0]
    migrated = Ledger(url)
    migrated.migrate()
    assert migrated.deliveries() == ()
    migrated.close()


def test_migrations_make_the_tables_that_the_models_expect(ledger: Ledger, url: str) -> None:
    engine = create_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
        assert connection.scalar(text("SELECT version_num FROM alembic_version")) == HEAD
    engine.dispose()


def test_migration_of_a_ledger_without_tickets_retains_its_entries(url: str) -> None:
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        delivery = Table("delivery", MetaData(), autoload_with=connection)
        values = {"id": "heat-1", "dataset": "heat", "provider": "p", "state": "landed", "sha256": "a" * 64}
        other_values = {"size_bytes": 7, "objects": [], "received_at": NOW, "findings": [], "conform_started": False}
        connection.execute(delivery.insert().values(**values, **other_values, etag="", sender="", reason=""))
    engine.dispose()
    migrated = Ledger(url)
    migrated.migrate()
    assert [(d.id, d.size_bytes, d.received_at) for d in migrated.deliveries()] == [("heat-1", 7, NOW)]
    migrated.close()


def test_migration_to_occurrences_and_back_retains_entries_and_sightings(url: str) -> None:
    def go(step: Any) -> None:
        engine = create_engine(url)
        config = Config()
        config.set_main_option("script_location", str(Path(database.__file__).parent / "migrations"))
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            step(config, "0007")
        engine.dispose()

    go(command.upgrade)
    engine = create_engine(url)
    with engine.begin() as connection:
        delivery, sighting = (Table(name, MetaData(), autoload_with=connection) for name in ("delivery", "sighting"))
        values = {"id": "heat-1", "dataset": "heat", "provider": "p", "state": "landed", "sha256": "a" * 64}
        other_values = {"size_bytes": 7, "objects": [], "received_at": NOW, "findings": [], "conform_started": False}
        connection.execute(
            delivery.insert().values(**values, **other_values, etag="", sender="", reason="", answers=["T-1"])
        )
        for key in "xy":
            row = {"delivery": "heat-1", "object": key, "etag": "e", "seen_at": NOW, "is_repeat": key == "y"}
            connection.execute(sighting.insert().values(**row))
    engine.dispose()
    migrated = Ledger(url)
    migrated.migrate()
    (entry,) = migrated.deliveries()
    assert (entry.id, entry.answers, migrated.repeats("heat-1")) == ("heat-1", ("T-1",), 1)
    assert migrated.etags(["x"]) == {"x": "e"} and migrated.delivery_of("y") == "heat-1"
    migrated.record(replace(FIRST, sha256="b" * 64, seen=(("z", "e"),)), NOW)
    second, is_new = migrated.record(replace(FIRST, seen=(("w", "e"),)), NOW)
    assert is_new and migrated.delivery_of("w") == second.id
    migrated.close()
    go(command.downgrade)
    engine = create_engine(url)
    with engine.begin() as connection:
        delivery, sighting = (Table(name, MetaData(), autoload_with=connection) for name in ("delivery", "sighting"))
        assert sorted(connection.scalars(select(delivery.c.id))) == sorted(["heat-1", f"heat-{'b' * 12}"])
        assert dict(connection.execute(select(sighting.c.object, sighting.c.delivery)).all())["w"] == "heat-1"
        with pytest.raises(IntegrityError):
            connection.execute(
                delivery.insert().values(**values | {"id": "heat-2"}, **other_values, etag="", sender="", reason="")
            )
    engine.dispose()


def test_a_failed_sqlite_migration_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'state.db'}"
    monkeypatch.setattr(command, "upgrade", partial(_fail_after, command.upgrade))
    with pytest.raises(RuntimeError):
        Ledger(url).migrate()
    engine = create_engine(url)
    with engine.connect() as connection:
        assert connection.scalars(text("SELECT name FROM sqlite_master")).all() == []
    engine.dispose()


def _fail_after(upgrade: Any, *arguments: Any) -> None:
    upgrade(*arguments)
    raise RuntimeError


def test_head_is_the_newest_migration() -> None:
    scripts = ScriptDirectory(str(Path(database.__file__).parent / "migrations"))
    assert scripts.get_heads() == [HEAD]


def test_an_unreachable_database_is_an_unavailable_service() -> None:
    unreachable = Ledger(f"postgresql+psycopg://lake@127.0.0.1:{free_port()}/postgres")
    with pytest.raises(ServiceUnavailable, match="does not answer"):
        unreachable.migrate()
    unreachable.close()


def test_the_hash_of_several_files_depends_on_names_and_bytes_not_on_order() -> None:
    parts = [("a.csv", "1" * 64), ("b.csv", "2" * 64)]
    assert content_sha256(parts) == content_sha256(parts[::-1]) != content_sha256([("c.csv", "1" * 64), parts[1]])
    assert content_sha256(parts[:1]) == "1" * 64


def test_entries_can_be_read_for_a_period(ledger: Ledger) -> None:
    days = {letter: NOW + timedelta(days=place) for place, letter in enumerate("abcd")}
    entries = {letter: ledger.record(other(letter), at)[0] for letter, at in days.items()}
    fix = ledger.record(other("e", supersedes=entries["b"].id), days["b"] + timedelta(hours=1))[0]
    received = ledger.received(days["b"], days["d"])
    assert [d.id for d in received] == [entries["b"].id, entries["c"].id, fix.id]
    assert ledger.received(days["b"], days["d"], "another") == ()
    last = ledger.last_before("heat", days["c"])
    assert last is not None and last.id == entries["b"].id
    assert ledger.last_before("heat", days["a"]) is None


def test_a_new_verdict_asks_for_tickets_again(ledger: Ledger) -> None:
    one, _ = ledger.record(FIRST, NOW)
    assert ledger.ungoverned() == [], "it has no verdict yet"
    ledger.move(one.id, State.ACCEPTED)
    assert [each.id for each in ledger.ungoverned()] == [one.id]
    ledger.governed(one.id, NOW)
    assert ledger.ungoverned() == []
    ledger.evaluated(one.id)
    assert [each.id for each in ledger.ungoverned()] == [one.id]
