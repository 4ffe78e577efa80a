"""Which readings of the open hours are known, so that one that is sent again changes nothing; rebuilt from silver when lost."""

from collections import OrderedDict
from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.dataset as ds

from jobs.contracts import Contract
from jobs.contracts.names import DELIVERY
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone

MOST_HOURS = 48
"""Hours that are kept in memory, 8 bytes a reading; the one that was used longest ago is forgotten first."""
Hashes = np.ndarray


class KnownKeys:
    """Hashes of the keys of each hour's readings, sorted."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._hours: OrderedDict[tuple[str, datetime], Hashes] = OrderedDict()

    def new(self, contract: Contract, hour: datetime, rows: pa.Table) -> Hashes:
        """Which of the hour's rows have a key that is not known; rows without a complete key are new."""
        known = self._of(contract, hour)
        hashes = key_hashes(rows, contract.key())
        place = np.searchsorted(known, hashes)
        found = (place < len(known)) & (known[np.minimum(place, len(known) - 1)] == hashes if len(known) else False)
        is_new: Hashes = ~found | ~_complete(rows, contract.key())
        return is_new

    def remember(self, contract: Contract, hour: datetime, rows: pa.Table) -> None:
        """The rows are in the tables now."""
        hashes = key_hashes(rows, contract.key())[_complete(rows, contract.key())]
        both = np.concatenate([self._of(contract, hour), hashes])
        both.sort()
        self._hours[contract.id, hour] = both[np.append(True, both[1:] != both[:-1])] if len(both) else both
        while len(self._hours) > MOST_HOURS:
            self._hours.popitem(last=False)

    def count(self, dataset: str) -> int:
        """How many keys are kept."""
        return sum(len(hashes) for (name, _), hashes in self._hours.items() if name == dataset)

    def forget(self, dataset: str) -> None:
        """Read the dataset's hours from its tables again: a write failed half-way."""
        for key in [key for key in self._hours if key[0] == dataset]:
            del self._hours[key]

    def _of(self, contract: Contract, hour: datetime) -> Hashes:
        key = (contract.id, hour)
        if key not in self._hours:
            self._hours[key] = self._stored(contract, hour)
        self._hours.move_to_end(key)
        return self._hours[key]

    def _stored(self, contract: Contract, hour: datetime) -> Hashes:
        """The keys that silver has of the hour."""
        table = self._lake.delta.open(self._lake.path(Zone.SILVER, contract.id))
        deliveries = [h.delivery for h in self._lake.streams.hours(contract.id) if h.hour == hour]
        if table is None:
            return np.empty(0, dtype=np.uint64)
        rows = table.to_pyarrow_dataset().to_table(
            columns=list(contract.key()), filter=ds.field(DELIVERY).isin(deliveries)
        )
        return np.unique(key_hashes(rows, contract.key()))


def key_hashes(rows: pa.Table, key: Sequence[str]) -> Hashes:
    """A number for each row's key, equal for equal keys."""
    frame = rows.select(list(key)).to_pandas()
    hashes: Hashes = pd.util.hash_pandas_object(frame, index=False).to_numpy(dtype=np.uint64)
    return hashes


def _complete(rows: pa.Table, key: Sequence[str]) -> Hashes:
    valid = np.ones(rows.num_rows, dtype=bool)
    for name in key:
        valid &= rows[name].is_valid().to_numpy()
    return valid
