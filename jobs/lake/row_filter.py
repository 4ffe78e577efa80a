"""Filters for the rows of a delivery, with the day of receipt by which the tables are partitioned."""

from dataclasses import dataclass
from datetime import date
from typing import Any

import pyarrow.dataset as ds
from deltalake import DeltaTable

from jobs.contracts.names import DELIVERY, RECEIVED
from jobs.lake.ledger import Ledger
from jobs.model.delivery import Delivery

Terms = list[tuple[str, str, Any]]


@dataclass(frozen=True)
class RowFilter:
    """Rows that have one value in a column; `received_date` limits the search to one partition."""

    column: str
    value: str
    received_date: date | None = None

    def predicate(self) -> str:
        """The filter in SQL, for a write with replacement."""
        value = self.value.replace("'", "''")
        day = "" if self.received_date is None else f" AND {RECEIVED} = '{self.received_date.isoformat()}'"
        return f"{self.column} = '{value}'{day}"

    def terms(self, table: DeltaTable) -> Terms:
        """The filter for delta-rs and Arrow; without the day for versions that lack that column."""
        terms: Terms = [(self.column, "=", self.value)]
        if self.received_date is not None and RECEIVED in {field.name for field in table.schema().fields}:
            terms.insert(0, (RECEIVED, "=", self.received_date))
        return terms

    def dataset(self, table: DeltaTable) -> ds.Dataset:
        """The table without files that cannot match; the remaining files may have other rows too."""
        return table.to_pyarrow_dataset(file_pruning_predicate=self.terms(table))

    def expression(self, table: DeltaTable) -> ds.Expression:
        """The filter as an expression over Arrow's columns."""
        expression = ds.scalar(True)
        for column, _, value in self.terms(table):
            expression &= ds.field(column) == value
        return expression


def rows_of(delivery: Delivery) -> RowFilter:
    """The rows of a delivery in bronze, quarantine or evidence."""
    return RowFilter(DELIVERY, delivery.id, delivery.received_date())


def rows_of_id(ledger: Ledger, delivery_id: str) -> RowFilter:
    """The same by id; searches all days where the ledger lacks the delivery, as after a restored backup."""
    return RowFilter(DELIVERY, delivery_id, ledger.received_date(delivery_id))
