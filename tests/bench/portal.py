"""Latency of the portal's pages with 50,000 tickets and 200 people at once, against a real server process."""

import asyncio
import random
import re
import secrets
import statistics
import sys
import time
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

import httpx
from sqlalchemy import insert, text, update
from sqlalchemy.orm import Session

from jobs import contracts
from jobs.collaboration.ticket_tables import ChainRow, ClockRow, EventRow, EvidenceRow, TicketRow
from jobs.collaboration.tickets import Tickets
from jobs.lake.database import Database
from jobs.serving.account_tables import AccountRow, SessionRow
from jobs.serving.portal.loops import Loops
from jobs.serving.sessions import csrf_of, digest
from jobs.settings import Settings
from tests.bench.common import Measures, stopwatch

TICKETS, PEOPLE, FOR_S = 50_000, 200, 60
THINK_S = (4.0, 14.0)
"""A person reads a page for so long, drawn evenly, before asking for the next."""

SEED = 20260112
AIM_MS = 300
STATES = (("dispatched", 10), ("fixing", 8), ("reopened", 2), ("disputed", 2), ("waived", 1), ("closed", 77))
VISITS = {"tasks": 33, "ticket": 30, "list": 18, "search": 9, "comment": 5, "overview": 5}
"""How many of a hundred requests are for what; the overview is the page of the city, or of one's department."""

OF_THE_CITY = ("quality_officer", "leader")
"""Roles that see the page of the city; all others see that of their department."""

NOTHING = dict.fromkeys(("requester", "record", "clock_case", "previous_state"), "")


def seed(settings: Settings) -> list[tuple[str, str]]:
    """Tickets and people in the state database; each person's session token and home page."""
    rng = random.Random(SEED)
    database = Database(settings.state_url())
    with stopwatch(f"seeding {TICKETS:,} tickets"):
        database.migrate()
        with database.session() as session:
            _seed_tickets(session, rng, settings)
            people = _seed_people(session, settings)
            session.execute(text("ANALYZE"))  # as the server does by itself in its own time
    with stopwatch("one reading of the loop of the city"):
        Loops(
            Tickets(database, dict, ZoneInfo(settings.timezone)), lambda: datetime.now(UTC), ZoneInfo(settings.timezone)
        ).month()
    database.close()
    return people


def measure(settings: Settings, people: list[tuple[str, str]], measures: Measures) -> None:
    """p95 over all pages; each kind of page goes to standard error. S3 and the portal are up."""
    is_postgres = settings.state_url().startswith("postgresql")
    name, database_kind = ("portal_postgresql_p95_ms", "PostgreSQL") if is_postgres else ("portal_p95_ms", "SQLite")
    spent = asyncio.run(_visit(settings.portal_url, people))
    for kind, times in sorted(spent.items()):
        print(f"  {kind}: {len(times)} pages, p50 {_p(times, 50):.0f}, p95 {_p(times, 95):.0f} ms", file=sys.stderr)
    every = [t for times in spent.values() for t in times]
    note = f"{len(every):,} pages in {FOR_S} s by {PEOPLE} people, {TICKETS:,} tickets, {database_kind}"
    measures.say(name, _p(every, 95), f"≤ {AIM_MS}", note)


def _p(times: list[float], percent: int) -> float:
    return statistics.quantiles(times, n=100)[percent - 1]


def _seed_tickets(session: Session, rng: random.Random, settings: Settings) -> None:
    """Rows as the loop would have left them, but for the hashes of the chain, which no page reads."""
    registry = contracts.load_usable(settings.schemas, settings.expectations)
    sources, now = registry.sources(), datetime.now(UTC)
    names, weights = zip(*STATES, strict=True)
    rows: dict[type, list[dict[str, Any]]] = {TicketRow: [], EventRow: [], ClockRow: [], EvidenceRow: []}
    for number in range(1, TICKETS + 1):
        contract = rng.choice(sources)
        rule = rng.choice(registry.rules[contract.id])
        state = rng.choices(names, weights)[0]
        opened, id_ = now - timedelta(minutes=rng.randrange(60 * 24 * 300)), f"T-{number:06d}"
        closed = opened + timedelta(days=rng.randrange(1, 20)) if state == "closed" else None
        failed = rng.randrange(1, 5000)
        rows[TicketRow].append(
            NOTHING
            | dict(id=id_, seq=number, kind="issue", fingerprint=f"{number:064d}", dataset=contract.id)
            | dict(provider=contract.provider, rule=rule.id, rule_version="r1", field=",".join(rule.fields)[:120])
            | dict(error_class="x", severity=rule.severity, dimension=rule.dimension, message=rule.message)
            | dict(remedy=rule.remedy, basis=rule.basis, state=state, version=3, failed_rows=failed)
            | dict(remaining_rows=0 if closed else failed, reopened=0, recurred=0, opened_at=opened, closed_at=closed)
        )
        rows[EventRow] += _events(number, rows[TicketRow][-1])
        paused = [[opened.isoformat(), None]] if state in ("disputed", "waived") else []
        rows[ClockRow].append(
            dict(ticket=id_, policy="C9", version=1, unit="working_days", length=10, most_extension=5, extension=0)
            | dict(started_at=opened, due_at=opened + timedelta(days=14), is_provisional=False, pauses=paused)
            | dict(paused_at=opened if paused else None, stopped_at=closed)
        )
        rows[EvidenceRow].append(
            dict(ticket=id_, delivery=f"{contract.id}-{number:012d}", rule_version="r1", period="", failed_rows=failed)
            | dict(checked_rows=5000, known_rows=0, remaining_rows=0 if closed else failed)
            | dict(seen_at=opened, replaced_by=None, proof=None)
        )
    for table, found in rows.items():
        waiting = iter(found)
        while some := list(islice(waiting, 5000)):
            session.execute(insert(table), some)
    session.execute(update(ChainRow).values(seq=4 * TICKETS + 4, hash="0" * 64, tickets=TICKETS))


def _events(number: int, ticket: dict[str, Any]) -> list[dict[str, object]]:
    """What happened to a ticket, with what each event did to its clock."""
    opened, closed, state = ticket["opened_at"], ticket["closed_at"], ticket["state"]
    last = ("pass", "fixing", state) if closed else ("start", "signed_for", state)
    steps = (("open", "", "found"), ("dispatch", "found", "dispatched"), ("sign", "dispatched", "signed_for"), last)
    told = {name: ticket[name] for name in ("kind", "provider", "version", "failed_rows", "remaining_rows", "reopened")}
    told |= dict(recurred=0, clock=number, policy="C9", unit="working_days", started=opened.isoformat(), net=3, gross=3)
    told |= dict(due=(opened + timedelta(days=14)).isoformat(), clock_state="running")
    who = dict(role="machine", department="bureau", name="数据湖", prev="0", hash="0")
    made: list[dict[str, object]] = []
    for step, (event, source, target) in enumerate(steps):
        is_end = event == "pass"
        at = closed if is_end else opened + timedelta(minutes=step)
        facts = {"proof": dict(checked=9, mended=9, remaining=0, absent=0)} if is_end else {}
        effects = told | ({"clock_state": "stopped"} if is_end else {})
        moved = dict(seq=4 * number + step, ticket=ticket["id"], at=at, event=event, source=source, target=target)
        made.append(moved | who | dict(facts=facts, effects=effects))
    return made


def _seed_people(session: Session, settings: Settings) -> list[tuple[str, str]]:
    """Session token of each, and the page on which they see how it stands; most of them are of departments."""
    sources = contracts.load_usable(settings.schemas, settings.expectations).sources()
    now, people = datetime.now(UTC), []
    roles = ["reporter", "approver", "approver", "quality_officer", "leader"]
    for number in range(PEOPLE):
        role, token = roles[number % len(roles)], secrets.token_urlsafe(32)
        department = "bureau" if role in OF_THE_CITY else sources[number % len(sources)].provider
        account = AccountRow(name=f"p{number}", person="", role=role, department=department, must_change=False,
                             is_disabled=False, created_at=now)  # fmt: skip
        session.add(account)
        session.flush()
        session.add(SessionRow(token_hash=digest(token), account=account.id, started_at=now, seen_at=now))
        people.append((token, "/overview" if role in OF_THE_CITY else f"/departments/{department}"))
    return people


async def _visit(url: str, people: list[tuple[str, str]]) -> dict[str, list[float]]:
    spent: dict[str, list[float]] = defaultdict(list)
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=3)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60, trust_env=False) as client:
        until = time.monotonic() + FOR_S
        await asyncio.gather(*(_person(client, one, n, until, spent) for n, one in enumerate(people)))
    return spent


async def _person(
    client: httpx.AsyncClient, one: tuple[str, str], number: int, until: float, spent: dict[str, list[float]]
) -> None:
    (token, home), seen = one, ""
    rng = random.Random(SEED + number)
    await asyncio.sleep(rng.uniform(0, THINK_S[1]))
    while time.monotonic() < until:
        kind = rng.choices(tuple(VISITS), tuple(VISITS.values()))[0]
        path = {
            "tasks": "/tasks",
            "ticket": seen or "/tasks",
            "list": f"/tickets?show={rng.choice(('open', 'overdue', 'all'))}&order={rng.choice(('due', 'newest'))}&page={rng.randrange(1, 9)}",
            "search": f"/tickets?show=all&q={rng.choice(('不能为空', '温度', 'T-0012', '超出'))}",
            "comment": f"{seen}/comments" if seen else "/tasks",
            "overview": home,
        }[kind]
        begun = time.perf_counter()
        if path.endswith("/comments"):
            form = {"csrf": csrf_of(token), "text": "已联系经办人"}
            answer = await client.post(path, data=form, headers={"cookie": f"lake_session={token}"})
        else:
            answer = await client.get(path, headers={"cookie": f"lake_session={token}"})
        spent[kind].append(1000 * (time.perf_counter() - begun))
        if answer.status_code not in (200, 303):
            raise RuntimeError(f"{path}: {answer.status_code}")
        found = re.findall(r'href="(/tickets/T-[0-9]+)"', answer.text)
        seen = rng.choice(found) if found else seen
        await asyncio.sleep(rng.uniform(*THINK_S))
