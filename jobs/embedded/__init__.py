"""The services that a laptop runs itself: S3, Spark Connect, Kafka, Airflow, portal, stream; real processes on the loopback address.

Each speaks the protocol of its production counterpart, so only a setting differs.
"""

from jobs.embedded.airflow import airflow_token
from jobs.embedded.lifecycle import down, status, up, usual_services
from jobs.embedded.service import ServiceStatus

__all__ = ["ServiceStatus", "airflow_token", "down", "status", "up", "usual_services"]
