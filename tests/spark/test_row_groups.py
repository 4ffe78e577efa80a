"""Tables that the client writes come in row groups that all cores of the engine can share."""

import pyarrow as pa
import pyarrow.parquet as pq

from jobs.lake.lake import Lake
from jobs.lake.system_tables import SystemTable
from jobs.lake.zones import Zone

ROWS = 500_001


def test_a_large_delivery_is_several_row_groups(lake: Lake) -> None:
    path = lake.path(Zone.BRONZE, "wide")
    table = pa.table({"_delivery": pa.repeat("d", ROWS), "_row": pa.array(range(ROWS), pa.int64())})
    lake.delta.replace(path, SystemTable(table.schema, "_delivery"), table.to_batches(max_chunksize=64_000), "d")
    (found,) = [one.key for one in lake.store.list(f"{Zone.BRONZE}/wide/") if one.key.endswith(".parquet")]
    file = pq.ParquetFile(pa.BufferReader(lake.store.get_bytes(found)))
    groups = [file.metadata.row_group(i) for i in range(file.num_row_groups)]
    assert [one.num_rows for one in groups] == [200_000, 200_000, 100_001]
    assert {one.column(0).compression for one in groups} == {"ZSTD"}
