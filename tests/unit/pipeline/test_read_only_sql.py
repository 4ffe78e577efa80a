"""SQL of users: which tables it names, and what is refused."""

import pytest

from jobs.errors import UserError
from jobs.pipeline.read_only_sql import named_tables


@pytest.mark.parametrize(
    ("query", "tables"),
    [
        ("SELECT a.x, b.`y` FROM silver.a a JOIN gold.`b` b USING (k)", ["gold.b", "silver.a"]),
        ("WITH t AS (SELECT * FROM Silver.A) SELECT * FROM t JOIN results.verdicts", ["results.verdicts", "silver.a"]),
        (
            "SELECT 1 UNION ALL (SELECT x FROM evidence.a WHERE x IN (SELECT y FROM bronze.b))",
            ["bronze.b", "evidence.a"],
        ),
        ("SELECT 'gold.text' AS `gold.column` /* silver.comment */ FROM silver.a -- gold.comment", ["silver.a"]),
        ("SELECT count(*) FROM silver.a VERSION AS OF 1", ["silver.a"]),
        ("SELECT y FROM silver.a LATERAL VIEW explode(x) t AS y", ["silver.a"]),
        ("FROM silver.a SELECT x;", ["silver.a"]),
        ("SELECT s.county.name FROM (SELECT struct(1 AS name) AS county) s", []),
        ("SELECT * FROM range(3) CROSS JOIN explode(array(1, 2))", []),
        ("VALUES (1), (2)", []),
        ("DESCRIBE HISTORY silver.a", ["silver.a"]),
        ("SELECT * FROM csv.`/etc/passwd`", ["csv./etc/passwd"]),
        ("SELECT * FROM other.silver.a", ["other.silver.a"]),
        ("SELECT * FROM a", ["a"]),
    ],
)
def test_only_tables_in_the_query_text_are_named(query: str, tables: list[str]) -> None:
    assert [str(table) for table in named_tables(query)] == tables


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ("DROP TABLE silver.a", "DROP"),
        ("INSERT INTO silver.a SELECT 1", "INSERT"),
        ("FROM silver.a INSERT INTO gold.b SELECT *", "FROM"),
        ("WITH x AS (SELECT 1) INSERT INTO silver.a SELECT * FROM x", "WITH"),
        ("CREATE TABLE silver.a AS SELECT 1", "CREATE"),
        ("MERGE INTO silver.a USING gold.b ON a.x = b.x WHEN MATCHED THEN DELETE", "MERGE"),
        ("SET spark.sql.ansi.enabled = false", "SET"),
        ("SHOW TABLES", "SHOW"),
        ("SELECT 1; DELETE FROM silver.a", "got 2"),
        ("  -- nothing", "got 0"),
        ("SELECT FROM WHERE x", r"line 1, column \d+"),
        ("SELECT reflect('java.lang.System', 'exit', 0)", "runs code"),
        ("SELECT x FROM silver.a WHERE java_method('a.B', 'c') = 1", "runs code"),
        ("SELECT TRANSFORM(x) USING 'cat' FROM silver.a", "QUERYTRANSFORM"),
        ("SELECT * FROM identifier('silver' || '.a')", "not accepted as a table"),
    ],
)
def test_anything_but_one_read_only_query_is_refused_with_its_reason(query: str, reason: str) -> None:
    with pytest.raises(UserError, match=reason):
        named_tables(query)
