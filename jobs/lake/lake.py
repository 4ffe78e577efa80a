"""One lake: its store, ledger, tables and engine, opened when first needed."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from typing import TYPE_CHECKING

from jobs.lake.ledger import Ledger
from jobs.lake.session import connect
from jobs.lake.store import Store
from jobs.lake.zones import TablePath, Zone
from jobs.settings import Settings

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from jobs.lake.delta_tables import DeltaTables
    from jobs.lake.spark_tables import SparkTables
    from jobs.lake.staging import Stage
    from jobs.lake.stream_ledger import StreamLedger

logger = logging.getLogger(__name__)


class Lake:
    """Store, ledger, tables and engine of a lake, each opened on first use."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings

    @cached_property
    def store(self) -> Store:
        return Store(self.settings)

    @cached_property
    def ledger(self) -> Ledger:
        ledger = Ledger(self.settings.state_url())
        ledger.migrate()
        return ledger

    @cached_property
    def streams(self) -> "StreamLedger":
        from jobs.lake.stream_ledger import StreamLedger

        self.ledger  # noqa: B018  the tables are its database's
        return StreamLedger(self.settings.state_url())

    @cached_property
    def delta(self) -> "DeltaTables":
        from jobs.lake.delta_tables import DeltaTables

        return DeltaTables(self.settings)

    @cached_property
    def spark(self) -> "SparkSession":
        return connect(self.settings)

    @cached_property
    def tables(self) -> "SparkTables":
        from jobs.lake.spark_tables import SparkTables

        return SparkTables(self.spark, self.delta)

    def path(self, zone: Zone, name: str) -> TablePath:
        """The Delta table of a dataset in a zone."""
        return TablePath(zone, name, self.settings.s3_bucket)

    def stage(self, path: TablePath, partition_by: Sequence[str] = (), columns: int = 32) -> "Stage":
        """A place for rows that may become rows of the table, which has so many columns."""
        from jobs.lake.staging import Stage

        return Stage(self.tables, self.delta, self.store, path, tuple(partition_by), columns)

    def reset_engine(self) -> None:
        """Drop the Spark session, so that the next use opens a new one."""
        for name in ("tables", "spark"):
            self.__dict__.pop(name, None)

    def close(self) -> None:
        """Close all connections; harmless when none is open."""
        spark = self.__dict__.pop("spark", None)
        self.__dict__.pop("tables", None)
        if spark is not None:
            spark.stop()
        for name in ("streams", "ledger"):
            opened_one = self.__dict__.pop(name, None)
            if opened_one is not None:
                opened_one.close()


@contextmanager
def opened(settings: Settings) -> Iterator[Lake]:
    """A lake that is closed at the end."""
    lake = Lake(settings)
    try:
        yield lake
    finally:
        lake.close()
