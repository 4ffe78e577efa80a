"""One writer of a race, as a process of its own: commits rows one by one and prints what it begins and what is done.

Usage: python -m tests.spark.writer (spark|client) URL NAME FIRST LAST
"""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa
from deltalake import write_deltalake
from deltalake.exceptions import CommitFailedError
from tenacity import retry, retry_if_exception_type

from jobs.embedded.jars import ensure_jars
from jobs.lake.delta_writing import storage_options
from jobs.settings import Settings, load

SCHEMA = pa.schema([("writer", pa.string()), ("number", pa.int64())])
Commit = Callable[[int], None]


@contextmanager
def spark_driver(settings: Settings, url: str, name: str) -> Iterator[Commit]:
    """Commits by a Spark driver of this process, configured like the lake's own."""
    from pyspark.sql import SparkSession

    from jobs.embedded.spark import properties

    os.environ["SPARK_CONF_DIR"] = str(Path(__file__).parents[2] / "infra" / "spark")
    builder = SparkSession.builder.master("local[1]").appName(name)
    own = {"spark.driver.memory": "1g", "spark.ui.enabled": "false", "spark.master": "local[1]"}
    for key, value in ({**properties(settings), **own}).items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()

    def commit(number: int) -> None:
        rows = spark.createDataFrame([(name, number)], "writer string, number bigint")
        rows.coalesce(1).write.format("delta").mode("append").save(url.replace("s3://", "s3a://"))

    yield commit
    spark.stop()


@contextmanager
def client(settings: Settings, url: str, name: str) -> Iterator[Commit]:
    """Commits by delta-rs."""

    @retry(retry=retry_if_exception_type(CommitFailedError))
    def commit(number: int) -> None:
        rows = pa.table([[name], [number]], schema=SCHEMA)
        write_deltalake(url, rows, mode="append", storage_options=storage_options(settings))

    yield commit


def main(kind: str, url: str, name: str, first: str, last: str) -> None:
    """Write the rows first … last, each as one commit."""
    with (spark_driver if kind == "spark" else client)(load(), url, name) as commit:
        for number in range(int(first), int(last) + 1):
            print("begin", number, flush=True)
            commit(number)
            print("done", number, flush=True)


if __name__ == "__main__":
    ensure_jars(load(), lambda _: None)
    main(*sys.argv[1:])
