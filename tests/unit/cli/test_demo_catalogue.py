"""The demo city's lists go the whole way: drafts, approvals, published entries, lists; again changes nothing."""

from pathlib import Path

from jobs import contracts
from jobs.cli.demo_catalogue import demo_catalogue
from jobs.collaboration.tickets import opened
from jobs.pipeline.catalogue import records
from jobs.pipeline.catalogue_lists import CityLists
from jobs.settings import PROJECT, Settings
from tests.unit.collaboration.samples import at
from tests.unit.lake.local_lake import LocalLake

NOW = at("2026-01-12")


def test_all_but_those_on_their_way_are_published_and_listed(tmp_path: Path) -> None:
    registry = contracts.load(PROJECT / "schemas", PROJECT / "expectations")
    config = Settings(home=tmp_path, database_url=f"sqlite:///{tmp_path / 'state.db'}")
    lake = LocalLake(tmp_path)
    with opened(config, registry.providers) as tickets:
        lists = CityLists(lake, registry, tickets)  # type: ignore[arg-type]
        published = demo_catalogue(lake, registry, tickets, tmp_path, NOW)  # type: ignore[arg-type]
        known = records(registry, tickets, NOW)
        assert published == len(known) - 3
        assert [r.state() for r in known if not r.versions] == ["草稿", "待部门审批", "待主管审核"]
        share, opening = (lists.versions(name, NOW) for name in ("share", "open"))
        assert len(share.published(1)) == published > len(opening.published(1)) > 0
        assert not share.changes() and not opening.changes()
        assert demo_catalogue(lake, registry, tickets, tmp_path, NOW) == published
        assert len(tickets.published("list_release")) == 2
