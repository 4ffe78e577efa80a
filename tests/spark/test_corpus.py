"""Every row of generated deliveries reaches silver with its values, or is held back, a copy, or left out with a reason."""

from itertools import count
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from jobs.lake.lake import Lake
from tests.corpus.deliveries import accounted, deliveries
from tests.corpus.files import FORMATS

FILES, EXAMPLES = 4, 5
"""Files of a delivery, and deliveries of each format: 100 files."""


@pytest.mark.parametrize("kind", FORMATS)
def test_every_row_is_accounted_for(lake: Lake, tmp_path: Path, kind: str):
    numbers = count()

    @settings(max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def every(data: st.DataObject) -> None:
        dataset = f"corpus_{next(numbers)}"
        folder = tmp_path / dataset
        folder.mkdir()
        accounted(lake, data.draw(deliveries(kind, FILES)), dataset, folder)

    every()
