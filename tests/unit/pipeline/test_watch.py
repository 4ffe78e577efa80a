"""What a look at the landing zone costs, what it finds, and what is told again."""

import hashlib
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event

from jobs.contracts import Registry, layout_digest, suite_hash
from jobs.errors import ServiceUnavailable
from jobs.ingest.landing import MANIFEST, SIDECAR
from jobs.lake.lake import Lake
from jobs.lake.ledger import Ledger
from jobs.lake.store import StoredObject
from jobs.model.delivery import State
from jobs.pipeline import watch as watching
from jobs.pipeline.watch import LOST_S, REMIND_S, STALLED_S, Reminders, Watch, watched
from jobs.settings import Settings
from tests.unit.lake.local_lake import DATASET, LocalLake, registry, verdict

PROVIDER = "market_regulation"
PAGE = 1000
NOW = datetime(2026, 1, 12, tzinfo=UTC)
MISSING = "no such object"


class Bucket:
    """Objects in a dictionary, listed a thousand a page; counts the requests that a real server would get."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, datetime]] = {}
        self.requests: Counter[str] = Counter()

    def put(self, key: str, data: bytes = b"", at: int = 0) -> None:
        self.objects[key] = data or key.encode(), NOW + timedelta(seconds=at)

    def page(self, prefix: str, after: str = "") -> tuple[Sequence[StoredObject], bool]:
        self.requests["list"] += 1
        found = [self.stored(key) for key in sorted(self.objects) if key.startswith(prefix) and key > after]
        return found[:PAGE], len(found) <= PAGE

    def list(self, prefix: str) -> Iterator[StoredObject]:
        self.requests["list"] += 1
        return (self.stored(key) for key in sorted(self.objects) if key.startswith(prefix))

    def stored(self, key: str) -> StoredObject:
        data, at = self.objects[key]
        return StoredObject(key, len(data), hashlib.md5(data, usedforsecurity=False).hexdigest(), at)

    def head(self, key: str) -> StoredObject | None:
        self.requests["head"] += 1
        return self.stored(key) if key in self.objects else None

    def get_bytes(self, key: str) -> bytes:
        self.requests["get"] += 1
        return self.objects[key][0]

    def sha256(self, key: str) -> str:
        self.requests["get"] += 1
        if key not in self.objects:
            raise ServiceUnavailable(MISSING)
        return hashlib.sha256(self.objects[key][0]).hexdigest()

    def copy(self, source: str, target: str) -> None:
        self.requests["copy"] += 1
        self.objects[target] = self.objects[source]


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def lake(tmp_path: Path, made_sqlite: Path) -> Iterator[LocalLake]:
    """A lake whose store counts and whose ledger is a real one."""
    made = LocalLake(tmp_path)
    made.store = Bucket()  # type: ignore[assignment]
    (tmp_path / "state.db").write_bytes(made_sqlite.read_bytes())
    ledger = Ledger(f"sqlite:///{tmp_path / 'state.db'}")
    made.ledger = ledger  # type: ignore[assignment]
    yield made
    ledger.close()


@pytest.fixture
def queries(lake: LocalLake) -> Iterator[list[str]]:
    """The statements that the ledger sends."""
    sent: list[str] = []

    def note(*arguments: object) -> None:
        sent.append(str(arguments[2]))

    engine: Engine = lake.ledger._database._engine  # type: ignore[attr-defined]
    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def looking(lake: LocalLake, clock: Clock) -> Watch:
    return Watch(lake, registry, clock)  # type: ignore[arg-type]


def land(lake: LocalLake, name: str, dataset: str = DATASET, at: int = 0) -> str:
    key = f"landing/{PROVIDER}/{dataset}/{name}"
    lake.store.put(key, at=at)  # type: ignore[attr-defined]
    return key


def around(looking: Watch) -> int:
    """Looks until the whole landing zone was seen; how many it took."""
    looking.look()
    return 1 + (0 if looking.is_through else around(looking))


@pytest.mark.parametrize("known", [0, 3, 999, 2500])
def test_a_look_without_news_is_one_request_and_no_query_however_many_objects_there_are(
    lake: LocalLake, looking: Watch, queries: list[str], known: int
) -> None:
    for number in range(known):
        land(lake, f"{number:04}.csv")
    assert around(looking) == max(1, -(-known // PAGE))
    lake.store.requests.clear()  # type: ignore[attr-defined]
    queries.clear()
    assert looking.look() == {}
    assert lake.store.requests == {"list": 1} and queries == []  # type: ignore[attr-defined]


def test_a_look_at_new_objects_costs_the_same_for_each_however_many_are_known(
    lake: LocalLake, looking: Watch, queries: list[str]
) -> None:
    costs = []
    for batch, new in enumerate((1, 1, 5, 200, 5)):
        names = [f"{batch}-{number:03}.csv" for number in range(new)]
        for name in names:
            land(lake, name)
        if not batch:
            looking.look()  # the first of all also asks what is unfinished
            continue
        lake.store.requests.clear()  # type: ignore[attr-defined]
        queries.clear()
        assert len(looking.look()[f"landing/{DATASET}"]) == new
        costs.append((dict(lake.store.requests), len(queries) - 1, new))  # type: ignore[attr-defined]
    for requests, statements, new in costs:
        assert requests == {"list": 1, "head": 2 * new, "get": new, "copy": new}
        assert statements == costs[0][1] * new, "one for the page, and so many for each"


def test_deliveries_of_a_dataset_are_told_in_order_of_arrival_across_pages(lake: LocalLake, looking: Watch) -> None:
    for number in range(PAGE - 1):
        land(lake, f"{number:04}.csv", "air_quality_hourly")
    around(looking)
    newer, older = land(lake, "a.csv", at=9), land(lake, "b.csv", at=5)
    assert [looking.look(), looking.is_through] == [{}, False], "the page ends before the dataset that it would cut"
    (ids,) = looking.look().values()
    assert [lake.ledger.delivery_of(key) for key in (older, newer)] == ids  # type: ignore[attr-defined]


def test_a_folder_is_a_delivery_once_its_manifest_is_there(lake: LocalLake, looking: Watch) -> None:
    land(lake, "parts/1.csv")
    land(lake, "parts/2.csv")
    assert looking.look() == {}
    lake.store.requests.clear()  # type: ignore[attr-defined]
    assert looking.look() == {}
    assert lake.store.requests == {"list": 1}, "what waits for its manifest is not asked for again"  # type: ignore[attr-defined]
    lake.store.put(f"landing/{PROVIDER}/{DATASET}/parts/{MANIFEST}", b"{}")  # type: ignore[call-arg]
    ((asset, (one,)),) = looking.look().items()
    assert asset == f"landing/{DATASET}" and len(lake.ledger.get(one).objects) == 2


def test_covering_letters_and_what_lies_elsewhere_are_no_deliveries(lake: LocalLake, looking: Watch) -> None:
    for key in (f"landing/{PROVIDER}/{DATASET}/a.csv{SIDECAR}", f"landing/{PROVIDER}/{DATASET}/", "landing/a.csv"):
        lake.store.put(key)  # type: ignore[call-arg]
    assert looking.look() == {} and lake.ledger.deliveries() == ()


def test_an_overwritten_object_is_seen_and_the_same_bytes_are_a_repeat(lake: LocalLake, looking: Watch) -> None:
    key = land(lake, "a.csv")
    looking.look()
    lake.store.put(key, b"corrected")  # type: ignore[call-arg]
    assert len(looking.look()[f"landing/{DATASET}"]) == 1
    lake.store.put(f"{key}-again", b"corrected")  # type: ignore[call-arg]
    assert looking.look() == {} and lake.ledger.repeats(lake.ledger.deliveries()[-1].id) == 1


@pytest.mark.parametrize(
    "state, digest, suite, waits",
    [
        (State.UNREADABLE, "another", "", True),
        (State.UNREADABLE, "", "", True),
        (State.UNREADABLE, "same", "", False),
        (State.REFUSED, "another", "same", True),
        (State.REFUSED, "same", "another", True),
        (State.REFUSED, "same", "same", False),
        (State.ACCEPTED, "another", "another", False),
    ],
)
def test_repeated_content_is_evaluated_again_where_it_was_returned_and_its_contract_has_changed(
    lake: LocalLake, looking: Watch, state: State, digest: str, suite: str, waits: bool
) -> None:
    known, key = registry(), land(lake, "a.csv")
    ((asset, (one,)),) = looking.look().items()
    contract = known.contract(DATASET)
    delivery = lake.ledger.move(  # type: ignore[attr-defined]
        one, state, layout_digest={"same": layout_digest(contract)}.get(digest, digest), reason="returned"
    )
    if suite:
        own = suite_hash(known.rules[DATASET]) if suite == "same" else "ab" * 32
        lake.results().write(verdict(delivery, suite_hash=own), [])
    assert looking.look() == {}, "nothing arrived"
    lake.store.put(f"{key}-again", key.encode())  # type: ignore[call-arg]
    assert looking.look() == ({asset: [one]} if waits else {})
    assert lake.ledger.get(one).state is (State.LANDED if waits else state)


def test_what_landed_before_a_failure_is_told_and_the_rest_is_found_again(
    lake: LocalLake, looking: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = land(lake, "a.csv"), land(lake, "b.csv", at=1)
    real = lake.store.sha256  # type: ignore[attr-defined]
    monkeypatch.setattr(lake.store, "sha256", lambda key: real(MISSING if key == bad else key))
    assert looking.look() == {f"landing/{DATASET}": [lake.ledger.delivery_of(good)]}  # type: ignore[attr-defined]
    with pytest.raises(ServiceUnavailable):
        looking.look()
    monkeypatch.undo()
    assert list(looking.look()) == [f"landing/{DATASET}"]


def test_a_delivery_that_waits_too_long_is_told_again_each_time_after_twice_as_long(
    lake: LocalLake, looking: Watch, clock: Clock
) -> None:
    land(lake, "a.csv")
    ((asset, (one,)),) = looking.look().items()
    told = []
    for second in range(0, 2000, 10):
        clock.now = float(second)
        told += [(second, *found) for found in looking.look().items()]
    assert [at for at, name, _ in told if name == asset] == [240, 720, 1680]
    assert [(at, name) for at, name, _ in told if name != asset] == [
        (660, f"silver/{DATASET}"),
        (1980, f"silver/{DATASET}"),
    ], "products wait for it no longer"
    assert all(ids == [one] for _, _, ids in told)
    lake.ledger.move(one, State.ACCEPTED)
    clock.now = 2000.0 + REMIND_S
    assert looking.look() == {}
    clock.now += LOST_S
    assert looking.look() == {"results": [one], f"silver/{DATASET}": [one]}
    lake.ledger.governed(one, NOW)  # type: ignore[attr-defined]
    clock.now += 10 * STALLED_S
    assert looking.look() == {}


def test_reminders_forget_what_waits_no_more() -> None:
    reminders, event_of = Reminders(), ("results", "one")
    assert reminders.due({event_of: 0.0}, 0.0) == [event_of] and reminders.due({event_of: 0.0}, 59.0) == []
    assert reminders.due({}, 60.0) == [] and reminders.due({event_of: 0.0}, 60.0) == [event_of]


def test_what_came_before_its_contract_is_told_when_the_contract_is_there(lake: LocalLake, clock: Clock) -> None:
    known: dict[str, Registry] = {"now": Registry({}, {})}
    looking = Watch(lake, lambda: known["now"], clock)  # type: ignore[arg-type]
    land(lake, "a.csv")
    assert looking.look() == {}
    known["now"] = registry()
    clock.now = REMIND_S
    assert list(looking.look()) == [f"landing/{DATASET}"]


def test_the_watch_outlives_a_failure_and_opens_another_lake(
    lake: LocalLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    lakes: list[Settings] = []

    class Opened(Lake):
        def __init__(self, settings: Settings) -> None:
            super().__init__(settings)
            lakes.append(settings)
            if len(lakes) > 1:
                self.__dict__.update(store=lake.store, ledger=lake.ledger)

    monkeypatch.setattr("jobs.lake.lake.Lake", Opened)
    monkeypatch.setattr(watching, "check_put_if_absent", lambda lake: None)
    looks = watched(lambda: Settings(home=tmp_path, schemas=tmp_path, expectations=tmp_path))
    assert next(looks) == ({}, True) and "no S3 server is configured" in caplog.text
    assert next(looks) == ({}, True) and len(lakes) == 2
    assert next(looks) == ({}, True) and len(lakes) == 2, "the same lake as long as it answers"
