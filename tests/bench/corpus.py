"""How many of 2,000 generated files are read with every row and cell accounted for."""

from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, given, settings

from tests.bench.common import Measures
from tests.corpus.files import Sent, sent_files
from tests.unit.ingest.test_corpus import accounted

FILES = 2_000


def measure(measures: Measures) -> None:
    """Every file counts once, also those that hypothesis tries again to make a failing one smaller."""
    tried, wrong = [], []

    @settings(max_examples=FILES, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(sent=sent_files())
    def read_all(sent: Sent) -> None:
        tried.append(sent.name)
        with TemporaryDirectory() as folder:
            try:
                accounted(sent, Path(folder))
            except AssertionError:
                wrong.append(sent.name)

    read_all()
    note = f"{len(tried):,} files of {len(set(tried))} kinds, odd rows mixed in; {len(wrong)} not accounted for"
    measures.say("corpus_accounted", 1 - len(wrong) / len(tried), "1.00", note)
