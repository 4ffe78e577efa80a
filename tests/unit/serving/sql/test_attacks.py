"""Ways round the masks: what is hidden or masked in a view stays so, however it is asked for."""

import pytest

from jobs.errors import UserError
from jobs.serving.sql.service import SqlService
from tests.unit.serving.sql.city import ANALYST, FOREIGN, OWNER, SECRETS, STRANGER, TABLE

REFUSED = [
    "SELECT * FROM read_parquet('s3://lake/silver/x/*.parquet')",
    "SELECT * FROM parquet_scan('a')",
    "SELECT * FROM read_csv('/etc/passwd')",
    "SELECT * FROM read_csv_auto('/etc/passwd')",
    "SELECT * FROM read_json('/etc/passwd')",
    "SELECT * FROM read_text('/etc/passwd')",
    "SELECT * FROM read_blob('/etc/passwd')",
    "SELECT read_text('/etc/passwd')",
    "SELECT * FROM glob('/etc/*')",
    "SELECT * FROM parquet_metadata('a')",
    "SELECT * FROM parquet_schema('a')",
    "SELECT * FROM parquet_kv_metadata('a')",
    "SELECT * FROM delta_scan('a')",
    "SELECT * FROM '/etc/passwd'",
    "SELECT * FROM \"/etc/passwd\"",
    "FROM 's3://lake/silver/x/a.parquet'",
    f"SELECT * FROM query('SELECT * FROM {TABLE}')",
    f"SELECT * FROM query_table('{TABLE}')",
    "SELECT * FROM query_table(['a', 'b'])",
    "SELECT * FROM duckdb_views()",
    "SELECT * FROM duckdb_tables()",
    "SELECT * FROM duckdb_settings()",
    "SELECT * FROM duckdb_secrets()",
    "SELECT * FROM duckdb_columns",
    "SELECT sql FROM duckdb_views",
    "SELECT * FROM (WITH duckdb_views AS (SELECT 1) SELECT 1), duckdb_views",
    "WITH duckdb_views AS (SELECT 1) SELECT * FROM duckdb_views",
    "SELECT * FROM sqlite_master",
    "SELECT * FROM pg_catalog.pg_class",
    "SELECT * FROM pg_class",
    "SELECT * FROM information_schema.tables",
    "SELECT * FROM information_schema.columns",
    "SELECT * FROM pragma_table_info('x')",
    "SELECT * FROM pragma_show('x')",
    "PRAGMA show_tables",
    "PRAGMA database_list",
    "SET threads = 1",
    "SET VARIABLE a = 1",
    "RESET threads",
    "SELECT getvariable('a')",
    "SELECT getenv('HOME')",
    "SELECT current_setting('memory_limit')",
    "SELECT current_query()",
    "SELECT which_secret('s3://lake', 's3')",
    "SELECT version()",
    "SELECT pg_sleep(1)",
    "SELECT sleep_ms(1)",
    "SELECT error('x')",
    "SELECT nextval('a')",
    "SELECT write_log('x')",
    "SELECT _as_sent_free('x')",
    "SELECT main._numbers_free('x')",
    "SELECT list_aggregate(['a'], 'getenv')",
    "SELECT json_execute_serialized_sql('x')",
    "SELECT * FROM json_execute_serialized_sql('x')",
    "PIVOT silver.enterprise_registration ON uscc USING count(*)",
    f"SUMMARIZE {TABLE}",
    f"SELECT * FROM (SUMMARIZE {TABLE})",
    f"SELECT * FROM (DESCRIBE {TABLE})",
    "INSTALL httpfs",
    "LOAD httpfs",
    "FORCE INSTALL httpfs",
    "ATTACH 'a.db' AS a",
    "DETACH lake",
    "USE silver",
    "COPY (SELECT 1) TO '/tmp/x.csv'",
    f"COPY {TABLE} TO '/tmp/x.parquet'",
    f"COPY {TABLE} FROM '/tmp/x.csv'",
    "EXPORT DATABASE '/tmp/x'",
    "IMPORT DATABASE '/tmp/x'",
    "CREATE TABLE a AS SELECT 1",
    f"CREATE VIEW a AS SELECT * FROM {TABLE}",
    "CREATE MACRO a() AS 1",
    "CREATE SECRET a (TYPE s3)",
    f"DROP VIEW {TABLE}",
    f"ALTER VIEW {TABLE} RENAME TO a",
    f"INSERT INTO {TABLE} VALUES (1)",
    f"UPDATE {TABLE} SET uscc = ''",
    f"DELETE FROM {TABLE}",
    f"TRUNCATE {TABLE}",
    f"WITH a AS (DELETE FROM {TABLE} RETURNING *) SELECT * FROM a",
    f"SELECT * INTO a FROM {TABLE}",
    "CALL pragma_version()",
    "EXECUTE a",
    "PREPARE a AS SELECT 1",
    "CHECKPOINT",
    "VACUUM",
    "BEGIN",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '/tmp/x.csv'",
    "EXPLAIN EXPLAIN SELECT 1",
    "EXPLAIN DELETE FROM silver.enterprise_registration",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE a",
    "SELECT 1 /* ; */; COPY (SELECT 1) TO '/tmp/x' --",
    "",
    ";",
    "-- SELECT 1",
    "SELECT * FROM copies.x",
    "SELECT * FROM main.x",
    "SELECT * FROM memory.silver.enterprise_registration",
    "SELECT * FROM system.information_schema.tables",
    "SELECT * FROM temp.x",
    "SELECT * FROM bronze.enterprise_registration",
    "SELECT * FROM evidence.enterprise_registration",
    "SELECT * FROM silver.\"enterprise_registration@0\"",
    "SELECT * FROM silver.\"enterprise_registration\"\"; DROP VIEW x\"",
    "SHOW ALL",
    "SHOW DATABASES",
    "SELECT * FROM (SHOW TABLES)",
    "SELECT " + "(" * 3000 + "1" + ")" * 3000,
    "SELECT 1 -- " + "x" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("sql", REFUSED, ids=lambda sql: sql[:60])
def test_refused(asked: SqlService, sql: str) -> None:
    with pytest.raises(UserError):
        asked.ask(ANALYST, sql, "test")


SHOWING = [
    f"SELECT * FROM {TABLE}",
    f"SELECT t FROM {TABLE} t",
    f"SELECT t::VARCHAR FROM {TABLE} t",
    f"SELECT to_json(t) FROM {TABLE} t",
    f"SELECT any_value(t), list(t) FROM {TABLE} t",
    f"SELECT unnest(t) FROM {TABLE} t",
    f"SELECT COLUMNS(*) FROM {TABLE}",
    f"SELECT COLUMNS('.*') FROM {TABLE}",
    f"SELECT COLUMNS(c -> c LIKE '%') FROM {TABLE}",
    f"SELECT * EXCLUDE (uscc) FROM {TABLE}",
    f"SELECT #1, #2, #3, #4 FROM {TABLE}",
    f"SELECT struct_pack(a := legal_rep_name, b := legal_rep_id_no) FROM {TABLE}",
    f"SELECT legal_rep_id_no::BLOB::VARCHAR, CAST(legal_rep_name AS JSON) FROM (SELECT try_cast(legal_rep_id_no AS BLOB)::VARCHAR AS legal_rep_id_no, to_json(legal_rep_name) AS legal_rep_name FROM {TABLE})",
    f"SELECT string_agg(legal_rep_id_no, ',') FROM {TABLE}",
    f"SELECT max(legal_rep_id_no), min(legal_rep_name), first(legal_rep_name), mode(legal_rep_name) FROM {TABLE}",
    f"SELECT histogram(legal_rep_id_no) FROM {TABLE}",
    f"SELECT substring(legal_rep_id_no, 5, 8), reverse(legal_rep_id_no), regexp_extract_all(legal_rep_id_no, '.') FROM {TABLE}",
    f"WITH a AS (SELECT * FROM {TABLE}) SELECT * FROM a UNION ALL SELECT * FROM a",
    f"WITH enterprise_registration AS (SELECT legal_rep_name FROM {TABLE}) SELECT * FROM enterprise_registration",
    f"SELECT (SELECT max(legal_rep_name) FROM {TABLE}), ARRAY(SELECT legal_rep_id_no FROM {TABLE})",
    f"SELECT b.* FROM {TABLE} a, LATERAL (SELECT a.legal_rep_id_no, a.legal_rep_name) b",
    f"SELECT * FROM {TABLE} a JOIN {TABLE} b USING (uscc)",
    f"SELECT * FROM {TABLE} NATURAL JOIN {TABLE} b",
    f"SELECT * FROM {TABLE} POSITIONAL JOIN {TABLE} b",
    f"SELECT * FROM {TABLE} UNPIVOT (value FOR name IN (uscc, legal_rep_name, legal_rep_id_no))",
    f"SELECT * FROM (FROM {TABLE} SELECT legal_rep_name, legal_rep_id_no)",
    f"SELECT legal_rep_name OVER_NAME, lag(legal_rep_id_no) OVER (ORDER BY legal_rep_id_no) FROM {TABLE}",
    f"SELECT list_transform([legal_rep_id_no], lambda x : x || '') FROM {TABLE}",
    f"SELECT printf('%s', legal_rep_id_no), format('{{}}', legal_rep_name) FROM {TABLE}",
    f"SELECT * FROM {TABLE} AT (VERSION => 0)",
    f"SELECT md5(legal_rep_name), remark, _marks FROM {TABLE}",
    f"SELECT capital_cny, capital_cny::VARCHAR, capital_cny::BIGINT FROM {TABLE}",
    f"SELECT * FROM {TABLE} USING SAMPLE 100%",
    f"DESCRIBE {TABLE}",
    f"EXPLAIN SELECT * FROM {TABLE} WHERE legal_rep_id_no = '371502200003070014'",
]  # fmt: skip


@pytest.mark.parametrize("sql", SHOWING, ids=lambda sql: sql[:60])
def test_answers_hold_no_secret_for_those_who_see_masks(asked: SqlService, sql: str) -> None:
    text = str(asked.ask(ANALYST, sql, "test").table.to_pylist())
    asked_for = [secret for secret in SECRETS if secret in sql]
    assert [secret for secret in SECRETS if secret in text and secret not in asked_for] == []


GUESSES = [
    "legal_rep_id_no = '371502200003070014'",
    "legal_rep_id_no LIKE '%20000307%'",
    "legal_rep_id_no LIKE '371502%'",
    "legal_rep_id_no BETWEEN '3715020' AND '3715029'",
    "legal_rep_name = '王小明'",
    "legal_rep_name LIKE '%小明'",
    "contains(legal_rep_name, '三丰')",
    "length(legal_rep_id_no) = 18 AND legal_rep_id_no SIMILAR TO '[0-9]{18}'",
    "uscc = '371502200003070014'",
    "remark LIKE '%13806351234%'",
    "capital_cny = 13806351234",
    "capital_cny BETWEEN 13806351233 AND 13806351235",
    "list_contains(_marks, '致电15963512345')",
    "(SELECT count(*) FROM silver.enterprise_registration b WHERE b.legal_rep_id_no = '371502200003070014') > 0",
    "EXISTS (FROM silver.enterprise_registration b WHERE b.legal_rep_name = '王小明')",
    "legal_rep_id_no IN (SELECT '371502200003070014')",
    "md5(legal_rep_name) = md5('王小明')",
]


@pytest.mark.parametrize("guess", GUESSES)
def test_a_right_guess_in_a_filter_finds_nothing(asked: SqlService, guess: str) -> None:
    answer = asked.ask(ANALYST, f"SELECT count(*) AS n FROM {TABLE} a WHERE {guess}", "test")
    assert answer.table["n"].to_pylist() == [0]


@pytest.mark.parametrize("column", ["contact_phone", "beyond", "filename", "file_row_number", "rowid"])
@pytest.mark.parametrize(
    "sql",
    ["SELECT {} FROM {}", "SELECT count(*) FROM {1} WHERE {0} IS NULL", "SELECT 1 FROM {1} ORDER BY {0}"],
)
def test_a_hidden_column_does_not_exist(asked: SqlService, column: str, sql: str) -> None:
    with pytest.raises(UserError):
        asked.ask(ANALYST, sql.format(column, TABLE), "test")


FAILING = [
    f"SELECT legal_rep_id_no::INT FROM {TABLE}",
    f"SELECT CAST(remark AS DATE) FROM {TABLE}",
    f"SELECT strptime(legal_rep_name, '%Y') FROM {TABLE}",
    f"SELECT array_extract(legal_rep_name::INT[], 1) FROM {TABLE}",
    f"SELECT (legal_rep_name || '}}')::JSON FROM {TABLE}",
]


@pytest.mark.parametrize("actor", [ANALYST, OWNER], ids=["analyst", "owner"])
@pytest.mark.parametrize("sql", FAILING)
def test_errors_quote_no_value(asked: SqlService, actor: object, sql: str) -> None:
    with pytest.raises(UserError) as raised:
        asked.ask(actor, sql, "test")  # type: ignore[arg-type]
    assert [word for word in ("王", "张", "3715", "138") if word in str(raised.value)] == []


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT count(*) AS n FROM results.verdicts WHERE CASE WHEN reason = '{}' THEN 'x'::INT ELSE 1 END = 1",
        "SELECT count(*) AS n FROM results.verdicts WHERE reason = '{}'",
        "SELECT count(*) AS n FROM results.verdicts WHERE reason = '{}' OR try_cast(reason AS INT) = 1",
    ],
)
def test_rows_of_others_reach_no_expression_of_a_query(asked: SqlService, sql: str) -> None:
    n = asked.ask(STRANGER, sql.format(FOREIGN), "test").table["n"].to_pylist()
    assert n == asked.ask(STRANGER, sql.format("no such word"), "test").table["n"].to_pylist()


def test_a_department_sees_results_about_itself_alone(asked: SqlService) -> None:
    sql = "SELECT DISTINCT provider FROM results.verdicts ORDER BY 1"
    assert asked.ask(STRANGER, sql, "test").table["provider"].to_pylist() == ["ecology_environment"]
    assert len(asked.ask(ANALYST, sql, "test").table) == 2


@pytest.mark.parametrize(
    "table", [TABLE, "quarantine.enterprise_registration", "gold.enterprise_master", "silver.none"]
)
def test_tables_of_others_are_refused_like_tables_that_do_not_exist(asked: SqlService, table: str) -> None:
    with pytest.raises(UserError, match=f"没有表 {table}，或不属于您的权限"):
        asked.ask(STRANGER, f"SELECT * FROM {table}", "test")


def test_quarantine_is_for_its_own_department(asked: SqlService) -> None:
    sql = "SELECT raw FROM quarantine.enterprise_registration"
    assert "王小明" in asked.ask(OWNER, sql, "test").table["raw"][0].as_py()
    with pytest.raises(UserError):
        asked.ask(ANALYST, sql, "test")
