"""What the engine did for one session, by its own status store: exact counts for tests, also while another session works."""

from dataclasses import dataclass
from typing import Any

import httpx
from pyspark.sql import SparkSession

from jobs.settings import Settings


@dataclass(frozen=True)
class Mark:
    """A moment in a session's history: the newest job and query ids of the engine."""

    session: str
    job: int
    query: int


def _get(settings: Settings, path: str) -> list[dict[str, Any]]:
    with httpx.Client(base_url=f"{settings.spark_ui}/api/v1", trust_env=False, timeout=60) as client:
        app = client.get("/applications").raise_for_status().json()[0]["id"]
        found: list[dict[str, Any]] = client.get(f"/applications/{app}/{path}").raise_for_status().json()
        return found


def mark(settings: Settings, spark: SparkSession) -> Mark:
    """Now."""
    jobs, queries = _get(settings, "jobs"), _get(settings, "sql?details=false&length=100000")
    return Mark(
        spark.session_id, max((j["jobId"] for j in jobs), default=-1), max((int(q["id"]) for q in queries), default=-1)
    )


def jobs_since(settings: Settings, since: Mark) -> int:
    """Spark jobs started after the mark, without Delta's own over its log: those depend on what the engine remembers."""
    found = (job for job in _get(settings, "jobs") if job["jobId"] > since.job and not _is_of_the_log(job))
    return sum(since.session in "".join(job["jobTags"]) for job in found)


def _is_of_the_log(job: dict[str, Any]) -> bool:
    return "recordDelta" in job["name"] or str(job.get("description", "")).startswith("Delta: ")


def scans_since(settings: Settings, since: Mark, rows: int) -> int:
    """Parquet scans after the mark that gave exactly `rows` rows: reads of the table that holds so many."""
    found = 0
    for query in _get(settings, "sql?details=true&planDescription=false&length=100000"):
        if int(query["id"]) > since.query and since.session in query["description"]:
            found += sum(_rows(node) == rows for node in query["nodes"] if node["nodeName"].startswith("Scan parquet"))
    return found


def _rows(node: dict[str, Any]) -> int | None:
    values = [m["value"] for m in node.get("metrics", []) if m["name"] == "number of output rows"]
    return int(values[0].replace(",", "")) if values and values[0].replace(",", "").isdigit() else None
