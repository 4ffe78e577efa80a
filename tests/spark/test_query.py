"""SQL that people type, asked of a lake."""

import pytest

from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.query import answer, ask


def test_tables_go_by_name_and_one_that_does_not_exist_is_answered_with_those_that_do(lake: Lake) -> None:
    for name, temperature in (("heat_station", 60), ("heat_meter", 40)):
        lake.tables.overwrite(lake.spark.sql(f"SELECT {temperature} AS supply_temp"), lake.path(Zone.SILVER, name))
    query = "WITH hot AS (SELECT * FROM silver.`heat_station`) SELECT h.supply_temp - m.supply_temp AS drop FROM hot h, silver.heat_meter m"
    assert [row["drop"] for row in ask(lake, query).collect()] == [20]
    with pytest.raises(
        UserError, match=r"no table silver\.heat_stations yet; .*: silver\.heat_meter, silver\.heat_station"
    ):
        ask(lake, "SELECT * FROM silver.heat_stations")
    with pytest.raises(UserError, match=r"no table csv\./etc/hostname; .*silver, quarantine"):
        ask(lake, "SELECT * FROM csv.`/etc/hostname`")


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("SELECT nosuch FROM (SELECT 1 AS one)", "`nosuch` cannot be resolved"),
        ("SELECT cast('x' AS int)", "cannot be cast to"),
    ],
)
def test_what_the_engine_refuses_is_one_message(lake: Lake, query: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as refused:
        answer(lake, query, 10)
    assert "JVM" not in str(refused.value) and "Project" not in str(refused.value)
    assert answer(lake, "SELECT 1 AS one, NULL AS none", 10) == (["one", "none"], [["1", ""]])
