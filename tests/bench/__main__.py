"""`make bench`: every measure in one run, one tab-separated line each on standard output."""

import argparse
import os
import tempfile
from pathlib import Path

from jobs import embedded
from jobs.lake.lake import opened
from jobs.settings import load
from tests.bench import checked_write, closing, dag_parse, fidelity, labels, recheck, scaling, warm_delivery
from tests.bench.common import Measures

CHOICES = ("checked_write", "recheck", "closing", "scaling", "fidelity", "labels", "warm_delivery", "dag_parse")


def main() -> None:
    """Start services in a folder of their own, measure, stop them, keep the lines in docs."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--only", choices=CHOICES)
    parser.add_argument("--keep", type=Path, help="File for the printed lines.")
    arguments = parser.parse_args()
    measures = Measures()
    with tempfile.TemporaryDirectory(prefix="lake-bench-") as folder:
        os.environ["LAKE_HOME"] = str(Path(folder) / "home")
        load.cache_clear()
        try:
            _measure(Path(folder), measures, arguments)
        finally:
            embedded.down(load(), lambda _: None)
    if arguments.keep:
        arguments.keep.write_text("\n".join(measures.lines) + "\n", "utf-8")


def _measure(folder: Path, measures: Measures, arguments: argparse.Namespace) -> None:
    if arguments.only in (None, "dag_parse"):
        dag_parse.measure(folder / "parse", measures)
    if arguments.only in (None, "checked_write"):
        _up(("s3", "spark"))
        with opened(load()) as lake:
            checked_write.measure(lake, folder / "write", measures, arguments.rows)
    if arguments.only in (None, "recheck"):
        _up(("s3", "spark"))
        with opened(load()) as lake:
            recheck.measure(lake, folder / "recheck", measures, arguments.rows)
    if arguments.only in (None, "fidelity"):
        _up(("s3", "spark"))
        with opened(load()) as lake:
            fidelity.measure(lake, folder / "fidelity", measures)
    if arguments.only in (None, "closing"):
        _up(("s3", "spark"))
        with opened(load()) as lake:
            closing.measure(lake, folder / "closing", measures, arguments.rows)
    if arguments.only in (None, "scaling"):
        _up(("s3", "spark"))
        with opened(load()) as lake:
            scaling.measure(lake, folder / "scaling", measures)
    if arguments.only in (None, "labels"):
        _up(("s3", "spark"))
        with opened(load()) as lake:
            labels.measure(lake, folder / "labels", measures)
    if arguments.only in (None, "warm_delivery"):
        _up(("s3", "spark", "airflow"))
        with opened(load()) as lake:
            warm_delivery.measure(lake, folder / "warm", measures)


def _up(services: tuple[str, ...]) -> None:
    embedded.up(load(), services, lambda _: None)
    load.cache_clear()


main()
