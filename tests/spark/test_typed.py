"""Commands that look at a lake and prove its numbers, typed as a person would."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from jobs.cli import app
from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from jobs.reporting import write_report
from jobs.settings import Settings
from jobs.settings import load as load_settings
from tests.contract_texts import STATION_FIELDS, STATION_SUITE, contract


@pytest.fixture
def typed(
    lake: Lake,
    settings: Settings,
    write_contracts: Callable[..., Registry],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Result]:
    """Two deliveries, the second a correction of the first; then commands on that lake."""
    registry = write_contracts(
        {
            "schemas/sources/heat/station.yaml": contract("station", STATION_FIELDS),
            "expectations/sources/heat/station.yaml": STATION_SUITE,
        }
    )
    ids: list[str] = []
    for number, lines in enumerate(
        (("甲,2026-01-01 08:00:00,999,40", "乙,2026-01-01 08:00:00,60,40"), ("甲,2026-01-01 08:00:00,61,40",))
    ):
        file = tmp_path / f"{number}.csv"
        file.write_text("站点,时间,温度,回温\n" + "".join(f"{line}\n" for line in lines), "utf-8")
        deliver(lake.store, [file], "station", "heat", Manifest(supersedes=ids[-1] if ids else None))
        (landed,) = land(lake, registry)
        ids.append(landed.delivery.id)
        load(lake, registry, ids[-1])
        conform(lake, registry, ids[-1])
        write_report(lake, registry, ids[-1], datetime.now(UTC))
    monkeypatch.setenv("LAKE_SCHEMAS", str(tmp_path / "contracts" / "schemas"))
    monkeypatch.setenv("LAKE_EXPECTATIONS", str(tmp_path / "contracts" / "expectations"))
    monkeypatch.setenv("LAKE_S3_BUCKET", lake.settings.s3_bucket)
    monkeypatch.setenv("LAKE_DATABASE_URL", lake.settings.database_url)
    load_settings.cache_clear()

    def run(*words: str) -> Result:
        return CliRunner().invoke(app, [word.format(first=ids[0], second=ids[1]) for word in words])

    yield run
    load_settings.cache_clear()


def test_commands_answer(typed: Callable[..., Result]):
    narrow = typed("sql", "SELECT station, temp_c FROM silver.station")
    assert narrow.exit_code == 0 and "61.0" in narrow.output
    wide = typed("sql", "SELECT * FROM results.rules")
    assert wide.exit_code == 0 and "unexpected_count" in wide.output
    for words in (("tables",), ("plan", "station"), ("deliveries",), ("scores", "--by", "month")):
        assert typed(*words).exit_code == 0, words
    assert typed("scores", "--by", "weather").exit_code == 2
    verified = typed("verify", "{first}")
    assert verified.exit_code == 0 and " 0 differ" in verified.output
    rechecked = typed("recheck", "{first}")
    assert rechecked.exit_code == 0 and "1 of 1 rules proven corrected" in rechecked.output
    backwards = typed("recheck", "{second}", "--against", "{first}")
    assert backwards.exit_code == 0 and "0 of 0" in backwards.output
