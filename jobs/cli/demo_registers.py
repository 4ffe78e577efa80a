"""The demo city's registers: departments and the bureau register items, which are reviewed; training sets are certified from the lake."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from jobs.cli.demo_catalogue import person, step
from jobs.collaboration import Tickets
from jobs.contracts import Registry
from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.pipeline.registers import ITEM, CityRegisters
from jobs.simulator.register_items import register_items


def demo_registers(lake: Lake, registry: Registry, tickets: Tickets, at: datetime) -> int:
    """The number of published items; nothing is registered again. A training set without rows in the lake is left out."""
    if not tickets.published(ITEM):
        city, found = CityRegisters(lake, registry, tickets), register_items()
        held = [stage for stage, count in enumerate(found["held"].values()) for _ in range(count)]
        items = found["items"]
        stages = [3] * (len(items) - len(held)) + held
        for item, stage in zip(items, stages, strict=True):
            _register(city, item, stage, at)
    return len({one.subject for one in tickets.published(ITEM)})


def _register(city: CityRegisters, item: Mapping[str, Any], stage: int, at: datetime) -> None:
    is_own = item["by"] == "bureau"
    writer = person("quality_officer" if is_own else "reporter", item["by"])
    stated = {name: value for name, value in item.items() if name not in ("by", "rows")}
    if "rows" in item:
        rows = item["rows"]
        try:
            stated["selection"] = city.selection(
                f"{rows['dataset']}:newest:{','.join(rows['columns'])}", rows["condition"]
            )
        except UserError:
            return
    ticket = city.propose(stated, (writer, at))
    approver = person("leader" if is_own else "approver", item["by"])
    for event, actor in (("submit", writer), ("endorse", approver), ("publish", person("quality_officer", "bureau")))[
        :stage
    ]:
        step(city.tickets, ticket, event, actor, at)
