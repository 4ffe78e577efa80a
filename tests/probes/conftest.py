"""Files of probes taken the whole way."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.model.verdict import Verdict
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land
from jobs.reporting import write_report
from tests.probes.probe import Go


@pytest.fixture
def go(lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path) -> Go:
    """Takes files of the dataset `probe` the whole way, to the report."""

    def work(registry: Registry, file: Path, **letter: object) -> Verdict:
        deliver(lake.store, [file], "probe", "heat", Manifest(**letter))
        (landed,) = land(lake, registry)
        verdict = conform(lake, registry, landed.delivery.id)
        write_report(lake, registry, verdict.delivery, datetime.now(UTC))
        return verdict

    return work
