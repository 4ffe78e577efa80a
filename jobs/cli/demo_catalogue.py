"""The demo city's catalogue: departments hand in their lists, approve, and the bureau publishes entries and lists."""

from datetime import datetime
from pathlib import Path

from jobs.catalogue.lists import LISTS
from jobs.collaboration import Tickets
from jobs.contracts import Registry
from jobs.errors import SetupError
from jobs.lake.lake import Lake
from jobs.model.actor import Actor
from jobs.pipeline.catalogue import CHANGE, import_list
from jobs.pipeline.catalogue_lists import CityLists
from jobs.pipeline.licence_samples import put_sample
from jobs.reporting.bulletin.styles import fonts
from jobs.simulator.catalogue_lists import contents, write_lists
from jobs.simulator.feeds.permits import certificates
from jobs.simulator.licence_samples import write_sample

STEPS = (("submit", "reporter"), ("endorse", "approver"), ("publish", "quality_officer"))
"""Steps of an entry, and the role that takes each."""


def demo_catalogue(lake: Lake, registry: Registry, tickets: Tickets, folder: Path, at: datetime) -> int:
    """The number of published entries; those that exist already are not handed in again."""
    if not tickets.published(CHANGE):
        drafts = _drafts(registry, tickets, folder, at)
        held = [stage for stage, count in enumerate(contents()["held"].values()) for _ in range(count)]
        stages = [len(STEPS)] * (len(drafts) - len(held)) + held
        for (ticket, provider), stage in zip(drafts, stages, strict=True):
            for event, role in STEPS[:stage]:
                step(tickets, ticket, event, person(role, provider), at)
        _samples(lake, registry, folder)
        lists = CityLists(lake, registry, tickets)
        for name in LISTS:
            if not lists.versions(name, at).rows:
                continue
            ticket = lists.draw_up(name, person("quality_officer", "bureau"), at)
            step(tickets, ticket, "submit", person("quality_officer", "bureau"), at)
            step(tickets, ticket, "publish", person("leader", "bureau"), at)
    return len({one.subject for one in tickets.published(CHANGE)})


def _samples(lake: Lake, registry: Registry, folder: Path) -> None:
    """A sample file for each type of licence that the simulator issues; none without Chinese fonts."""
    try:
        font = fonts(lake.settings)["fang"]
    except SetupError:
        return
    for contract in (one for one in registry.sources() if one.licences):
        for number, name in enumerate(certificates()):
            file = folder / f"licence-{contract.id}-{number}.pdf"
            write_sample(name, contract.department, file, font)
            put_sample(lake, registry, contract.id, name, file)


def _drafts(registry: Registry, tickets: Tickets, folder: Path, at: datetime) -> list[tuple[str, str]]:
    """Tickets of the drafts that the departments' lists became, each with its department."""
    drafts: list[tuple[str, str]] = []
    for provider, file in write_lists(registry, folder).items():
        _, outcomes = import_list(registry, tickets, file, (person("reporter", provider), at))
        drafts += [(one.ticket, provider) for one in outcomes if one.ticket]
    return drafts


def step(tickets: Tickets, ticket: str, event: str, actor: Actor, at: datetime) -> None:
    """Take a step, stating what it requires."""
    machine, found = tickets.state_machine(), tickets.ticket(ticket, actor, at)
    stated = {**contents()["facts"], "document_number": contents()["document_number"]}
    requires = machine.step(found.kind, found.state, event).requires
    tickets.move(ticket, event, actor, found.version, at, facts={name: stated[name] for name in requires})


def person(role: str, department: str) -> Actor:
    is_of_bureau = role in ("quality_officer", "leader")
    return Actor(role, "bureau" if is_of_bureau else department, contents()["people"][role])
