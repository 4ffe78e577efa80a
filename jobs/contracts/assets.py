"""Names of what steps read and write, shared by the scheduler's assets and by lineage: `lake://silver/heat_station`.

Plain strings, so that a DAG file can name an asset without importing a step.
"""

SCHEME = "lake://"
LANDING = "landing/{dataset}"
RECEIVED = "received/{dataset}"
TELEMETRY = "telemetry/{dataset}"
BRONZE = "bronze/{dataset}"
SILVER = "silver/{dataset}"
QUARANTINE = "quarantine/{dataset}"
EVIDENCE = "evidence/{dataset}"
PROOFS = "proofs/{dataset}"
RESULTS = "results"
GOLD = "gold/{product}"
REPORTS = "reports"


def uri(asset: str, name: str = "") -> str:
    """The asset of a dataset or product, as Airflow and OpenLineage know it."""
    return SCHEME + asset.format(dataset=name, product=name)
