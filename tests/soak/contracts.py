"""The contracts of the soak: two datasets, each a second time for the readings that are sent undisturbed."""

from datetime import UTC, datetime
from pathlib import Path

from jobs.lake.database import Database
from jobs.serving.collector.keys import Keys
from jobs.settings import Settings
from tests.contract_texts import STATION_FIELDS, STATION_SUITE, STREAM_PROPERTIES, stream_contract

PROVIDER = "heat"
DATASETS = ("station", "boiler")
QUIET_S = {"station": 10, "boiler": 40}
"""After so many seconds without a reading an hour is sealed: late readings find it open or sealed."""
KINDS = ("undisturbed", "disturbed")


def name_of(dataset: str, kind: str) -> str:
    """The id of the contract."""
    return f"{dataset}_{kind}"


def write_contracts(folder: Path) -> None:
    """Contracts and suites, in the folders `schemas` and `expectations`."""
    for dataset in DATASETS:
        settings = f"device: station, seal_after_min: 0, quiet_s: {QUIET_S[dataset]}"
        properties = STREAM_PROPERTIES.replace("device: station", settings)
        for name in (name_of(dataset, kind) for kind in KINDS):
            _write(folder / f"schemas/sources/heat/{name}.yaml", stream_contract(name, STATION_FIELDS, properties))
            _write(
                folder / f"expectations/sources/heat/{name}.yaml",
                STATION_SUITE.replace("name: station", f"name: {name}"),
            )


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def new_key(settings: Settings) -> str:
    """A key for the collector."""
    database = Database(settings.state_url())
    database.migrate()
    try:
        return Keys(database).add(PROVIDER, "soak", datetime.now(UTC))[1]
    finally:
        database.close()
