"""Where data is stored: one prefix per zone, one Delta table per dataset."""

from dataclasses import dataclass
from enum import StrEnum


class Zone(StrEnum):
    """The zones, in pipeline order."""

    LANDING = "landing"
    RECEIVED = "received"
    TELEMETRY = "telemetry"
    BRONZE = "bronze"
    SILVER = "silver"
    QUARANTINE = "quarantine"
    EVIDENCE = "evidence"
    PROOFS = "proofs"
    RESULTS = "results"
    GOLD = "gold"
    REPORTS = "reports"


@dataclass(frozen=True)
class TablePath:
    """A Delta table: `silver.heat_station` for people, two URLs for the two engines."""

    zone: Zone
    name: str
    bucket: str

    @property
    def spark_url(self) -> str:
        return f"s3a://{self.bucket}/{self.key}"

    @property
    def delta_url(self) -> str:
        return f"s3://{self.bucket}/{self.key}"

    @property
    def key(self) -> str:
        return f"{self.zone}/{self.name}"

    @property
    def sql(self) -> str:
        """The table in Spark SQL, by path."""
        return f"delta.`{self.spark_url}`"

    def __str__(self) -> str:
        return f"{self.zone}.{self.name}"
