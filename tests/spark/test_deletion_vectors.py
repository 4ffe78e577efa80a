"""Tables that their files do not hold by themselves, as Spark writes them, read by the SQL service."""

from pathlib import Path

from jobs import contracts
from jobs.lake.database import Database
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.serving.sql.service import SqlService

ANALYST = Actor("analyst", "bureau", "周分析")
QUERY = "SELECT division_code, division_name FROM silver.divisions ORDER BY 1"


def test_rows_that_deletion_vectors_remove_are_not_read_and_mapped_columns_are(lake: Lake, tmp_path: Path) -> None:
    path = lake.path(Zone.SILVER, "divisions")
    rows = "VALUES ('371502', '甲'), ('371503', '乙'), ('371581', '丙') AS t(division_code, division_name)"
    lake.tables.overwrite(lake.spark.sql(f"SELECT * FROM {rows}").coalesce(1), path)
    table = f"delta.`{path.spark_url}`"
    features = "'delta.enableDeletionVectors' = true, 'delta.columnMapping.mode' = 'name'"
    lake.spark.sql(f"ALTER TABLE {table} SET TBLPROPERTIES ({features})")
    lake.spark.sql(f"DELETE FROM {table} WHERE division_code = '371503'")
    lake.spark.sql(f"ALTER TABLE {table} RENAME COLUMN division_name TO other")
    lake.spark.sql(f"ALTER TABLE {table} RENAME COLUMN other TO division_name")
    opened = lake.delta.open(path)
    assert opened is not None and {"deletionVectors", "columnMapping"} <= set(opened.protocol().reader_features or ())
    assert len(opened.file_uris()) == 1
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    database.migrate()
    registry = contracts.load(lake.settings.schemas, lake.settings.expectations)
    service = SqlService(lake, database, lambda: registry)
    answer = service.ask(ANALYST, QUERY, "test").table
    assert answer.to_pydict() == {"division_code": ["371502", "371581"], "division_name": ["甲", "丙"]}
    assert service.ask(ANALYST, f"EXPLAIN {QUERY}", "test").table["engine"].to_pylist() == ["delta-rs + duckdb"]
    service.close()
    database.close()
