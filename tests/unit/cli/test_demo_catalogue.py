"""The demo city's lists go the whole way: drafts, approvals, published entries, lists; again changes nothing."""

from pathlib import Path

import pyarrow as pa

from jobs import contracts
from jobs.cli.demo_catalogue import demo_catalogue
from jobs.cli.demo_registers import demo_registers
from jobs.collaboration.tickets import opened
from jobs.lake.zones import Zone
from jobs.pipeline.catalogue import records
from jobs.pipeline.catalogue_lists import CityLists
from jobs.pipeline.document_checks import document_checks
from jobs.pipeline.licence_samples import samples
from jobs.pipeline.registers import CityRegisters
from jobs.settings import PROJECT, Settings
from jobs.simulator.register_items import register_items
from tests.unit.collaboration.samples import at
from tests.unit.lake.local_lake import LocalLake

NOW = at("2026-01-12")


def test_all_but_those_on_their_way_are_published_and_listed(tmp_path: Path) -> None:
    registry = contracts.load(PROJECT / "schemas", PROJECT / "expectations")
    config = Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path / 'state.db'}")
    lake = LocalLake(tmp_path)
    with opened(config, registry.providers, document_checks(lambda: registry)) as tickets:
        lists = CityLists(lake, registry, tickets)  # type: ignore[arg-type]
        published = demo_catalogue(lake, registry, tickets, tmp_path, NOW)  # type: ignore[arg-type]
        known = records(registry, tickets, NOW)
        assert published == len(known) - 3
        assert [r.state() for r in known if not r.versions] == ["草稿", "待部门审批", "待主管审核"]
        assert len(samples(lake)) == 2  # type: ignore[arg-type]
        share, opening = (lists.versions(name, NOW) for name in ("share", "open"))
        assert len(share.published(1)) == published > len(opening.published(1)) > 0
        assert not share.changes() and not opening.changes()
        assert demo_catalogue(lake, registry, tickets, tmp_path, NOW) == published
        assert len(tickets.published("list_release")) == 2


def test_registers_are_filled_and_counted(tmp_path: Path) -> None:
    registry = contracts.load(PROJECT / "schemas", PROJECT / "expectations")
    config = Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path / 'state.db'}")
    lake = LocalLake(tmp_path)
    fields = [field.name for field in registry.contract("divisions").fields]
    rows = pa.table({name: pa.array(["county", "city"]) for name in fields})
    lake.delta.put(lake.path(Zone.SILVER, "divisions"), rows)
    with opened(config, registry.providers, document_checks(lambda: registry)) as tickets:
        published = demo_registers(lake, registry, tickets, NOW)  # type: ignore[arg-type]
        items = [r.current() for r in CityRegisters(lake, registry, tickets).items(NOW)]  # type: ignore[arg-type]
        without_rows = sum("rows" in item for item in register_items()["items"]) - 1
        assert published == len(items) - 2 == len(register_items()["items"]) - 2 - without_rows
        (training,) = [item for item in items if item.selection]
        assert training.certificate is not None and training.certificate.rows == 1
        assert demo_registers(lake, registry, tickets, NOW) == published  # type: ignore[arg-type]
