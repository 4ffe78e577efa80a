"""What the tests of the portal share: people with passwords, tickets, a lake in memory, a browser without scripts."""

import asyncio
import hashlib
import re
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from jobs import contracts
from jobs.collaboration import Tickets
from jobs.contracts import Registry
from jobs.lake.database import Database
from jobs.lake.ledger import Arrival, Ledger
from jobs.lake.store import StoredObject
from jobs.lake.stream_ledger import StreamLedger
from jobs.model.actor import Actor
from jobs.model.ticket import Issue
from jobs.pipeline.document_checks import document_checks
from jobs.pipeline.registers import CityRegisters
from jobs.serving.account_tables import AccountRow
from jobs.serving.accounts import Person
from jobs.serving.passwords import hashed
from jobs.serving.portal.app import guarded
from jobs.serving.portal.context import Portal
from jobs.serving.portal.serve import configured
from jobs.settings import PROJECT
from tests.unit.collaboration.samples import CORRECTION, ISSUE, ZONE, at
from tests.unit.lake.local_lake import LocalLake, MemoryStore

NOW = at("2026-01-12")
PASSWORD = "correct horse battery"
_RUNNER = asyncio.Runner()
PEOPLE: Mapping[str, Person] = {
    one.name: one
    for one in (
        Person("own", "approver", "civil_affairs", "李四"),
        Person("clerk", "reporter", "civil_affairs", "张三"),
        Person("asker", "approver", "market_regulation", "钱七"),
        Person("stranger", "approver", "liaocheng_gas", "赵六"),
        Person("officer", "quality_officer", "bureau", "王五"),
        Person("leader", "leader", "bureau", "孙八"),
        Person("auditor", "auditor", "bureau", "周九"),
        Person("analyst", "analyst", "bureau", "吴十"),
        Person("operator", "operator", "bureau", "郑一"),
    )
}

PEOPLE_ACTORS = {name: Actor(one.role, one.department, f"{one.person}（{name}）") for name, one in PEOPLE.items()}


class Parts:
    """A multipart upload in memory."""

    def __init__(self, store: "PartStore", key: str) -> None:
        self.store, self.key, self.parts = store, key, []  # type: ignore[var-annotated]

    def put(self, data: bytes) -> None:
        self.parts.append(bytes(data))
        self.store.largest = max(self.store.largest, len(data))

    def complete(self) -> None:
        self.store.objects[self.key] = b"".join(self.parts)
        self.store.begun.remove(self.key)

    def abort(self) -> None:
        self.store.begun.remove(self.key)
        self.store.aborted.append(self.key)


class PartStore(MemoryStore):
    """Objects in a dictionary, with uploads in parts."""

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[str] = []
        self.aborted: list[str] = []
        self.largest = 0

    def begin(self, key: str) -> Parts:
        self.begun.append(key)
        return Parts(self, key)

    def get_bytes(self, key: str) -> bytes:
        return self.objects[key]

    def head(self, key: str) -> StoredObject | None:
        found = self.objects.get(key)
        return None if found is None else StoredObject(key, len(found), "")

    def sha256(self, key: str) -> str:
        return hashlib.sha256(self.objects[key]).hexdigest()

    def copy(self, source: str, target: str) -> None:
        self.objects[target] = self.objects[source]


class FakeWorkbooks:
    """Packs that say for whom they are."""

    def __init__(self) -> None:
        self.answered: list[tuple[str, str, bytes]] = []

    def workbook(self, lake: Any, registry: Any, ticket_id: str, actor: Any) -> bytes:
        return f"workbook of {ticket_id} for {actor.department}".encode()

    def answer(self, lake: Any, registry: Any, ticket_id: str, actor: Any, file: Path) -> str:
        self.answered.append((ticket_id, file.name, file.read_bytes()))
        return f"answered {ticket_id}"


@dataclass(frozen=True)
class City:
    """A portal with its tickets, and a clock that tests set."""

    portal: Portal
    clock: list[datetime]
    workbooks: FakeWorkbooks
    issue: str
    other: str
    request: str

    def wait(self, **changes: Any) -> None:
        """Let time go by."""
        self.clock[0] += timedelta(**changes)

    @property
    def store(self) -> PartStore:
        return self.portal.lake.store  # type: ignore[return-value]


@lru_cache
def shipped() -> Registry:
    return contracts.load_usable(PROJECT / "schemas", PROJECT / "expectations")


def registered(town: City, provider: str = "civil_affairs") -> str:
    """Id of a draft of a scene that a department registers."""
    facts = {"purpose": "发现未加盖车辆", "user_unit": "城市管理局", "field": "城市管理"}
    stated = {"register_name": "scene", "title": "渣土运输监管", "datasets": ("divisions",), "facts": facts}
    act = (Actor("reporter", provider, "张三"), NOW)
    registers = CityRegisters(town.portal.lake, shipped(), town.portal.tickets)
    ticket = registers.propose(stated, act)
    return town.portal.tickets.ticket(ticket, act[0], NOW).dataset


def delivered(town: City, dataset: str, number: int = 1, name: str = "") -> str:
    """Id of a delivery in the ledger, with a report in the store; `name` is the key of its file."""
    provider = shipped().contract(dataset).provider
    sha = f"{number:064x}"[::-1]
    arrival = Arrival(
        dataset, provider, sha, 7, (name or f"received/{provider}/{dataset}/x/甲.csv",), ((f"landing/{sha}", "e"),)
    )
    made, _ = town.portal.lake.ledger.record(arrival, town.clock[0])
    for ending in ("html", "xlsx", "json"):
        town.store.objects[f"reports/{provider}/{dataset}/{made.id}.{ending}"] = f"report of {provider}".encode()
    return made.id


class PortalLake(LocalLake):
    """A lake in a folder whose ledger is a real one."""

    def __init__(self, root: Path, url: str) -> None:
        super().__init__(root)
        self.settings = self.settings.model_copy(update={"database_url": url})
        self.store, self.ledger = PartStore(), Ledger(url)  # type: ignore[assignment]
        self.streams = StreamLedger(url)


def city(root: Path, url: str, registry: Registry | None = None, **settings: Any) -> City:
    """A city with three departments' tickets, on a database whose tables are made."""
    lake = PortalLake(root, url)
    checks = document_checks(lambda: registry or shipped())
    tickets = Tickets(Database(url), (registry or shipped()).providers, ZONE, checks)
    clock, workbooks = [NOW], FakeWorkbooks()
    portal = Portal(
        settings=lake.settings.model_copy(update=settings),
        tickets=tickets,
        lake=lake,  # type: ignore[arg-type]
        registry=lambda: registry or shipped(),
        workbooks=workbooks,
        now=lambda: clock[0],
    )
    _settle(tickets.database)
    gas = replace(ISSUE, dataset="gas_regulator_readings", provider="liaocheng_gas", message="压力超出范围")
    issue, other = tickets.found([ISSUE, gas], NOW)
    asked = tickets.requested(CORRECTION, PEOPLE_ACTORS["asker"], NOW)
    return City(portal, clock, workbooks, issue, other, asked)


@lru_cache
def _kept() -> str:
    """Made once: hashing a password takes long on purpose."""
    return hashed(PASSWORD)


def _settle(database: Database) -> None:
    """Accounts of all people, with the password that everybody has."""
    common = {"password_hash": _kept(), "must_change": False, "is_disabled": False, "created_at": NOW}
    with database.session() as session:
        session.add_all(AccountRow(**vars(one), **common) for one in PEOPLE.values())


class Client:
    """HTTP to an application in this process, one call after the other."""

    def __init__(self, app: Any) -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self._http = httpx.AsyncClient(transport=transport, base_url="http://portal.test", follow_redirects=False)
        self.cookies = self._http.cookies

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        return _RUNNER.run(self._http.request(method, path, **options))

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        return self.request("POST", path, **options)


class Browser:
    """Somebody's browser: keeps cookies, fills in forms with the word that the page carries."""

    def __init__(self, portal: Portal, name: str = "") -> None:
        self.client = Client(guarded(portal))
        if name:
            self.login(name)

    def login(self, name: str, password: str = PASSWORD) -> Any:
        word = hidden(self.client.get("/login").text, "csrf")
        answer = self.client.post("/login", data={"csrf": word, "name": name, "password": password})
        return answer

    def get(self, path: str, **options: Any) -> Any:
        return self.client.get(path, **options)

    def carry(self, token: str) -> None:
        """Have this token as the session's cookie, from wherever."""
        self.client.cookies.clear()
        self.client.cookies.set("lake_session", token, domain="portal.test", path="/")

    def token(self) -> str:
        return str(self.client.cookies["lake_session"])

    def csrf(self) -> str:
        return hidden(self.client.get("/password").text, "csrf")

    def post(self, path: str, data: Mapping[str, Any] | None = None, **options: Any) -> Any:
        return self.client.post(path, data={"csrf": self.csrf(), **(data or {})}, **options)


def hidden(page: str, name: str) -> str:
    """The value of a hidden field of a page."""
    found = re.search(rf'name="{name}" value="([^"]*)"', page)
    assert found, page[:2000]
    return found[1]


def an_issue(**changes: Any) -> Issue:
    return replace(ISSUE, **changes)


@contextmanager
def served(portal: Portal) -> Iterator[str]:
    """URL of a real server on the loopback address, for as long as the block lasts."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        server = uvicorn.Server(configured(portal, "127.0.0.1", 0))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        deadline = time.monotonic() + 30
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:  # a thread that goes on would keep the whole run from ending
            server.should_exit = True
            thread.join(30)
