"""`make bench`: every measure in one run, one tab-separated line each on standard output."""

import argparse
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from jobs import embedded
from jobs.lake.lake import opened
from jobs.settings import load
from tests.bench import (
    catalogue,
    checked_write,
    closing,
    contracts,
    corpus,
    dag_parse,
    fidelity,
    labels_both_ways,
    portal,
    proposal,
    recheck,
    scaling,
    scheduler,
    series,
    small_delivery,
    sql_service,
    stream_state,
    streams,
    warm_delivery,
)
from tests.bench.common import Measures
from tests.postgres import create, running

CHOICES = (
    "checked_write",
    "recheck",
    "closing",
    "scaling",
    "fidelity",
    "labels",
    "series",
    "small_delivery",
    "warm_delivery",
    "scheduler",
    "dag_parse",
    "contracts",
    "corpus",
    "proposal",
    "catalogue",
    "portal",
    "sql",
    "streams",
    "stream_state",
    "collector",
)
SERVICES = {
    "warm_delivery": ("s3", "spark", "airflow"),
    "scheduler": ("s3", "spark", "airflow", "portal"),
    "sql": ("s3", "spark", "sql-service"),
    "streams": ("s3", "spark", "kafka"),
    "collector": ("s3", "spark", "kafka", "collector"),
}
"""What a measure needs besides the store and the engine."""
OWN_LAKE = frozenset((*SERVICES, "portal", "stream_state"))
"""Measures with a lake of their own: tickets and tables that others leave in a lake would be measured too."""


def main() -> None:
    """Start services in a folder of their own, measure, stop them, keep the lines in docs."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--only", choices=CHOICES)
    parser.add_argument("--keep", type=Path, help="File for the printed lines.")
    arguments = parser.parse_args()
    os.environ.setdefault("TQDM_DISABLE", "1")  # Great Expectations draws bars for each metric
    measures = Measures()
    with tempfile.TemporaryDirectory(prefix="lake-bench-") as folder, _home(Path(folder) / "home"):
        _measure(Path(folder), measures, arguments)
    if arguments.keep:
        measures.keep(arguments.keep, is_whole=arguments.only is None)
    if measures.failed:
        sys.exit(f"not measured: {', '.join(measures.failed)}")


def _measure(folder: Path, measures: Measures, arguments: argparse.Namespace) -> None:
    """Each measure on its own: one that fails is named at the end, and the others are still taken."""
    alone = {
        "dag_parse": lambda: dag_parse.measure(folder / "parse", measures),
        "contracts": lambda: contracts.measure(folder / "contracts", measures),
        "corpus": lambda: corpus.measure(measures),
        "catalogue": lambda: catalogue.measure(measures),
        "portal": lambda: _portal(measures),
    }
    for name, measure_alone in alone.items():
        if arguments.only in (None, name):
            with measures.attempt(name), _lake_of(name, folder):
                measure_alone()
    on_engine = {
        "checked_write": lambda lake, own: checked_write.measure(lake, own, measures, arguments.rows),
        "scaling": lambda lake, own: scaling.measure(lake, own, measures),
        "recheck": lambda lake, own: recheck.measure(lake, own, measures, arguments.rows),
        "closing": lambda lake, own: closing.measure(lake, own, measures, arguments.rows),
        "fidelity": lambda lake, own: fidelity.measure(lake, own, measures),
        "labels": lambda lake, own: labels_both_ways.measure(lake, own, measures),
        "series": lambda lake, own: series.measure(lake, own, measures),
        "corpus": lambda lake, own: corpus.measure_to_silver(lake, own, measures),
        "proposal": lambda lake, own: proposal.measure(lake, own, measures),
        "small_delivery": lambda lake, own: small_delivery.measure(lake, own, measures),
        "warm_delivery": lambda lake, own: warm_delivery.measure(lake, own, measures),
        "scheduler": lambda lake, own: scheduler.measure(lake, own, measures),
        "sql": lambda lake, own: sql_service.measure(lake, own, measures),
        "streams": lambda lake, own: streams.measure(lake, own, measures),
        "stream_state": lambda lake, own: stream_state.measure(lake, own, measures),
        "collector": lambda lake, own: streams.measure_collector(lake, own, measures),
    }
    for name, measure in on_engine.items():
        if arguments.only in (None, name):
            with measures.attempt(name), _lake_of(name, folder):
                _up(SERVICES.get(name, ("s3", "spark")))
                with opened(load()) as lake:
                    measure(lake, folder / name)


@contextmanager
def _home(home: Path) -> Iterator[None]:
    """Services in this folder, stopped at the end."""
    before = os.environ.get("LAKE_HOME")
    os.environ["LAKE_HOME"] = str(home)
    load.cache_clear()
    try:
        yield
    finally:
        embedded.down(load(), lambda _: None)
        os.environ.pop("LAKE_HOME")
        os.environ |= {} if before is None else {"LAKE_HOME": before}
        load.cache_clear()


@contextmanager
def _lake_of(name: str, folder: Path) -> Iterator[None]:
    """The lake of a measure: its own, or that of all others, whose services stop meanwhile."""
    if name not in OWN_LAKE:
        yield
        return
    embedded.down(load(), lambda _: None)
    with _home(folder / "lakes" / name):
        yield


def _portal(measures: Measures) -> None:
    """On SQLite, and where PostgreSQL is installed on that too, flushing as in production."""
    _visit(measures)
    with running(is_durable=True) as server:
        if server is not None:
            os.environ["LAKE_DATABASE_URL"] = create(server, "bench")
            try:
                _visit(measures)
            finally:
                del os.environ["LAKE_DATABASE_URL"]


def _visit(measures: Measures) -> None:
    load.cache_clear()
    _up(("s3",))
    people = portal.seed(load())
    _up(("s3", "portal"))
    portal.measure(load(), people, measures)
    embedded.down(load(), lambda _: None)
    load.cache_clear()


def _up(services: tuple[str, ...]) -> None:
    embedded.up(load(), services, lambda _: None)
    load.cache_clear()


main()
