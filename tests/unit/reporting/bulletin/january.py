"""A made-up January 2026 of three departments, small enough to be calculated by hand. Days are those of Shanghai.

Market regulation is due every 7 days (+1): came 29 December, 5, 12 and 22 January. What came on the 12th was replaced on
the 14th, what came on the 22nd only in February. Ecology came on 7 January. Heat sent nothing and has no ticket.
"""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from jobs.collaboration.tickets import Tickets
from jobs.contracts import Registry
from jobs.lake.database import Database
from jobs.model.delivery import Delivery, State
from jobs.pipeline.bulletins import BulletinRequest, bulletin
from tests.unit.collaboration.samples import CORRECTION, ISSUE, REPORTER, WHOLE, ZONE, at, moved
from tests.unit.lake.local_lake import CANARIES, DATASET, LocalLake, delivery, registry, row, rule_rows, verdict

MARKET, ECOLOGY, HEAT = "market_regulation", "ecology_environment", "liaocheng_heat"
AIR = "air_quality_hourly"
CAME = {  # number: dataset, day, failed by rule, replaced by, replaces
    1: (DATASET, "2025-12-29", {"uscc_pattern": 100}, 0, 0),
    2: (DATASET, "2026-01-05", {"uscc_pattern": 50}, 0, 0),
    3: (AIR, "2026-01-07", {"capital_cny_range": 200}, 0, 0),
    4: (DATASET, "2026-01-12", {"uscc_pattern": 150}, 5, 0),
    5: (DATASET, "2026-01-14", {"uscc_pattern": 10}, 0, 4),
    6: (DATASET, "2026-01-22", {}, 7, 0),
    7: (DATASET, "2026-02-02", {"uscc_pattern": 900}, 0, 6),
}


def contracts() -> Registry:
    """Two datasets that are sent and one that is not."""
    known = registry()
    weekly = {"frequency": "7d", "latency": "1d"}
    market = replace(known.contract(DATASET), sla=weekly)
    air = replace(known.contract(AIR), sla={})
    heat = replace(air, id="heat_station_minutes", title="热力站", provider=HEAT, department="聊城热力集团", sla=weekly)
    return Registry({c.id: c for c in (market, air, heat)}, {**known.rules, heat.id: ()})


def numbered(number: int) -> Delivery:
    """The delivery of that number, as the ledger has it."""
    dataset, day, failed, replaced_by, replaces = CAME[number]
    made = delivery(number, registry().contract(dataset), State.PARTLY_QUARANTINED if failed else State.ACCEPTED)
    others = {
        name: numbered_id(n) if n else None for name, n in (("superseded_by", replaced_by), ("supersedes", replaces))
    }
    return replace(made, received_at=at(day), **others)


def numbered_id(number: int) -> str:
    return delivery(number, registry().contract(CAME[number][0]), State.ACCEPTED).id


def january(root: Path, made_sqlite: Path) -> tuple[LocalLake, Registry]:
    """The lake with ledger, results, evidence and tickets."""
    lake, cat = LocalLake(root), contracts()
    for number, (_, _, failed, *_) in CAME.items():
        one, lost = numbered(number), sum(failed.values())
        lake.ledger.entries.append(one)
        said = verdict(one, failed_rows=lost, good_rows=1000 - lost)
        lake.results().write(said, rule_rows(said, cat, failed))
    lake.put_evidence(AIR, list(_evidence(numbered(3))))
    lake.settings.home.mkdir(parents=True, exist_ok=True)
    shutil.copy(made_sqlite, lake.settings.home / "state.db")
    return lake, cat


def tickets_of(lake: LocalLake) -> Tickets:
    """The tickets of the lake; the caller closes the database."""
    return Tickets(Database(lake.settings.state_url()), contracts().providers, ZONE)


def issue(tickets: Tickets, number: int, rule: str, day: str, **changes: Any) -> str:
    """A ticket of what a delivery breaks."""
    one = numbered(number)
    found = replace(ISSUE, dataset=one.dataset, provider=one.provider, rule=rule, delivery=one.id, **changes)
    return tickets.found([found], at(day))[0]


def tell(lake: LocalLake) -> dict[str, str]:
    """What happened to tickets, by the name of each."""
    t = tickets_of(lake)
    ids = {
        "old": issue(t, 1, "old", "2025-12-22"),  # due 6 January, still open: overdue
        "back": issue(t, 1, "back", "2025-12-01"),
    }
    mended(t, ids["back"], "2025-12-03")
    ids["mended"] = issue(t, 2, "mended", "2026-01-05")  # due 19 January
    ids["disputed"] = issue(t, 2, "uscc_pattern", "2026-01-05")
    ids["air"] = issue(t, 3, "capital_cny_range", "2026-01-07", field="capital_cny", message=f"超出范围{CANARIES[0]}")
    moved(t, ids["disputed"], "dispute:approver uphold_dispute:officer", at("2026-01-09"))
    mended(t, ids["mended"], "2026-01-14")
    issue(t, 6, "back", "2026-01-22")  # reopens: due 5 February
    ids["asked"] = t.requested(replace(CORRECTION, record=CANARIES[1], message=CANARIES[2]), ASKING, at("2026-01-06"))
    t.database.close()
    return ids


ASKING = replace(REPORTER, role="approver", department=MARKET)


def mended(tickets: Tickets, ticket: str, day: str) -> None:
    """Close a ticket by a whole proof."""
    assert tickets.rechecked(ticket, [replace(WHOLE, delivery=f"again-{day}")], at(day)).is_closed


def written(lake: LocalLake, cat: Registry, name: str = "2026-01", **wish: Any) -> dict[str, Any]:
    """The document of a new bulletin."""
    files = bulletin(lake, cat, name, BulletinRequest(**wish))  # type: ignore[arg-type]
    document: dict[str, Any] = json.loads(lake.store.objects[files.json])
    return document


def figures_of(document: dict[str, Any], provider: str = "") -> dict[str, dict[str, Any]]:
    """Figures by name, of all or of a department."""
    whose = next((d for d in document["departments"] if d["provider"] == provider), document)
    return {one["name"]: one for one in whose["figures"]}


def _evidence(of: Delivery) -> list[dict[str, Any]]:
    key = json.dumps({"remark": CANARIES[0]})
    return [row(of, 60, "capital_cny_range", "capital_cny", f"{CANARIES[3]} {CANARIES[2]}", key=key)]
