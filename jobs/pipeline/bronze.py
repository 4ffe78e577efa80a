"""A delivery's bronze rows with the types of its contract."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from jobs.conform import Repair, typed
from jobs.contracts import MALFORMED, Contract
from jobs.lake.delivery import Delivery
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone

KEPT = ("_file", "_row", MALFORMED)


def bronze_rows(
    lake: Lake, contract: Contract, delivery: Delivery
) -> tuple[DataFrame, tuple[Repair, ...], tuple[str, ...]]:
    """The delivery's rows with types, the repairs that they needed, and the names of evolved extra columns."""
    rows = lake.tables.read(lake.path(Zone.BRONZE, contract.id)).filter(F.col("_delivery") == delivery.id)
    fields = {f.name for f in contract.fields}
    for name in sorted(f.name for f in contract.fields if not f.is_computed() and f.name not in rows.columns):
        rows = rows.withColumn(name, F.lit(None).cast("string"))
    system = (*KEPT, "_delivery")
    extras = tuple(c for c in rows.columns if c not in fields and c not in system)
    kept = extras if contract.layout.extra_columns == "evolve" else ()
    made, repairs = typed(rows, contract, kept)
    return made, repairs, kept
