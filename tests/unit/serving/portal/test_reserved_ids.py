"""No dataset can have an id that is the address of a page."""

from pathlib import Path

from jobs.contracts.loader import RESERVED
from jobs.serving.portal.app import create_app
from tests.conftest import migrated
from tests.unit.serving.portal.asgi_requests import routes
from tests.unit.serving.portal.portal_city import city


def test_reserved_ids_are_the_static_addresses_where_a_dataset_may_stand(tmp_path: Path) -> None:
    town = city(tmp_path, migrated(f"sqlite:///{tmp_path / 'state.db'}"))
    try:
        paths = [Path(route.path) for route in routes(create_app(town.portal))]
    finally:
        town.portal.tickets.database.close()
        town.portal.lake.ledger.close()
    of_datasets = {path.parent for path in paths if path.name == "{dataset}"}
    static = {path.name for path in paths if path.parent in of_datasets and "{" not in path.name}
    assert of_datasets and static == set(RESERVED)
