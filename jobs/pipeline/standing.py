"""What stands open, as a table beside the data: readers see which rows are under a ticket."""

from datetime import datetime

import pyarrow as pa

from jobs.collaboration import MACHINE, Tickets, Wanted
from jobs.lake.lake import Lake
from jobs.lake.results import TICKETS
from jobs.lake.zones import Zone

COLUMNS = {
    "ticket": (pa.string(), "工单号"),
    "dataset": (pa.string(), "数据集"),
    "rule": (pa.string(), "规则编号"),
    "delivery": (pa.string(), "问题行所在批次，与 evidence 表的 _delivery 对应"),
    "severity": (pa.string(), "严重级"),
    "state": (pa.string(), "工单状态"),
    "message": (pa.string(), "问题"),
    "due_at": (pa.timestamp("us", tz="UTC"), "整改期限"),
}
MOST = 500


def keep_standing(lake: Lake, dataset: str, tickets: Tickets, now: datetime) -> None:
    """The dataset's open tickets in `results.tickets`, one row a delivery that is left, in place of those before."""
    schema = pa.schema([pa.field(n, kind, metadata={"comment": words}) for n, (kind, words) in COLUMNS.items()])
    open_ = {
        one.id: one for one in tickets.tickets(MACHINE, Wanted(dataset=dataset, is_open=True, size=MOST), now).tickets
    }
    rows = [
        {
            "ticket": one.ticket,
            "dataset": dataset,
            "rule": one.rule,
            "delivery": one.delivery,
            "severity": open_[one.ticket].severity,
            "state": open_[one.ticket].label,
            "message": open_[one.ticket].message,
            "due_at": clock.due_at if (clock := open_[one.ticket].clock) else None,
        }
        for one in tickets.open_rows(dataset)
        if one.ticket in open_
    ]
    table = pa.Table.from_pylist(rows, schema=schema)
    lake.arrow.replace(
        lake.path(Zone.RESULTS, TICKETS), schema, table.to_batches(), dataset, column="dataset", partition_by=()
    )
