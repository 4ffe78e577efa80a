"""How many of 2,000 generated files are read, and go on to silver, with every row and cell accounted for."""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from jobs.lake.lake import Lake
from tests.bench.common import Measures
from tests.corpus import deliveries as corpus
from tests.corpus.files import FORMATS, Sent, sent_files
from tests.unit.ingest.test_corpus import accounted

FILES = 2_000
FILES_OF_A_DELIVERY = 20


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


def measure_to_silver(lake: Lake, folder: Path, measures: Measures) -> None:
    """As many files again, in deliveries, through the engine: each row is in silver, held back, a copy or left out."""
    lake.store.create()
    tried, wrong = [], []
    examples = FILES // FILES_OF_A_DELIVERY // len(FORMATS)

    def to_silver(kind: str, data: st.DataObject) -> None:
        sent = data.draw(corpus.deliveries(kind, FILES_OF_A_DELIVERY))
        dataset = f"corpus_{len(tried)}"
        (folder / dataset).mkdir(parents=True)
        tried.append(dataset)
        try:
            corpus.accounted(lake, sent, dataset, folder / dataset)
        except AssertionError as error:
            wrong.append(dataset)
            print(f"  {kind}: {error}", file=sys.stderr, flush=True)

    for kind in FORMATS:
        often = settings(
            max_examples=examples,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        often(given(kind=st.just(kind), data=st.data())(to_silver))()
    note = f"{len(tried)} deliveries of {FILES_OF_A_DELIVERY} files; {len(wrong)} not accounted for"
    measures.say("corpus_to_silver", 1 - len(wrong) / len(tried), "1.00", note)
