"""What a task needs, imported and read once by the process whose forks run the tasks; nothing is connected."""

from importlib import import_module

from jobs import contracts
from jobs.reporting import pages
from jobs.settings import OWN_SCHEMAS, load

MODULES = (
    "boto3.s3.inject",
    "deltalake.fs",
    "great_expectations",
    "grpc._channel",
    "jobs.conform.dates",
    "jobs.ingest.load",
    "jobs.lake.spark_tables",
    "jobs.pipeline.processing",
    "jobs.pipeline.products",
    "jobs.pipeline.steps",
    "jobs.quality.distribution",
    "jobs.quality.evaluation",
    "jobs.quality.suggest",
    "pyarrow.acero",
    "pyspark.sql.connect.session",
)
"""Imported by a step only when it runs, or slow."""


def preload() -> None:
    """Import the modules, read the contracts (a fork parses them again only where a file has changed) and the templates."""
    for module in MODULES:
        import_module(module)
    settings = load()
    contracts.load_usable(settings.schemas, settings.expectations)
    contracts.load_system(OWN_SCHEMAS)
    pages.compile_templates()
    load.cache_clear()  # a service may have another address when a task starts
