"""Names of what steps read and write, the same for the scheduler's assets and for lineage: `lake://silver/heat_station`.

Plain words, so that a scheduler can name an asset without loading a step.
"""

SCHEME = "lake://"
LANDING = "landing/{dataset}"
RECEIVED = "received/{dataset}"
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
