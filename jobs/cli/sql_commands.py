"""lake query, lake sql-service serve | add-token | tokens | end-token | limit | log: SQL under the rights of the person who asks."""

import getpass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from jobs.cli.query import show_rows
from jobs.cli.usable import state_database, usable_contracts
from jobs.errors import UserError
from jobs.lake.database import Database
from jobs.lake.lake import opened
from jobs.model.actor import Actor
from jobs.serving.accounts import Accounts
from jobs.settings import load as settings

PANEL = "Look"
service = typer.Typer(no_args_is_help=True, help="The SQL service for analysts, and the tokens to it. 分析查询服务。")
Role = Annotated[str, typer.Option(help="Role in which you ask, such as analyst, approver, auditor.")]
Department = Annotated[str, typer.Option("--department", "-p", help="Your department, as in the contracts.")]


def add_to(app: typer.Typer) -> None:
    """Register the commands."""
    app.command(rich_help_panel=PANEL)(query)
    app.add_typer(service, name="sql-service", rich_help_panel="Services")


def query(
    sql: Annotated[str, typer.Argument(help="One SELECT, WITH, EXPLAIN, SHOW TABLES or DESCRIBE, in DuckDB's SQL.")],
    role: Role = "analyst",
    department: Department = "bureau",
    account: Annotated[str, typer.Option(help="Ask as this account instead.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="Most rows to print.")] = 100,
    large: Annotated[
        bool, typer.Option("--large", help="Run it even if it reads very much; see EXPLAIN first.")
    ] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write the rows to this file, .csv, .xlsx or .parquet, with a watermark.")
    ] = None,
) -> None:
    """Query silver, gold, results and quarantine as a role may see them: masked, filtered and logged.

    Example: `lake query "SELECT division_name, count(*) FROM gold.utility_day_by_county GROUP BY 1"` · `lake query "SHOW TABLES" --role approver -p civil_affairs`
    """
    from jobs.serving.sql.answer import Run
    from jobs.serving.sql.export import download, format_of
    from jobs.serving.sql.service import SqlService

    registry = usable_contracts(settings())
    with state_database(settings()) as database, opened(settings()) as lake:
        actor = _actor(database, account) or Actor(role, department, f"{getpass.getuser()}（命令行）")
        sql_service = SqlService(lake, database, lambda: registry)
        if out is None:
            answer = sql_service.ask(actor, sql, "cli", run=Run(limit, is_large=large))
            _print(answer.table.to_pylist(), answer.table.column_names)
        else:
            format_ = format_of(out.name)
            answer = sql_service.ask(actor, sql, "cli", run=Run(is_large=large))
            out.write_bytes(download(sql_service, actor, answer, format_))
    more = "; there are more rows / 还有更多行" if answer.is_cut else ""
    by = f" · {answer.engine}" if answer.engine else ""
    typer.echo(f"{answer.table.num_rows:,} rows / 行{more}{by} · {answer.id}\n{answer.grade.notice()}", err=True)


def _actor(database: Database, account: str) -> Actor | None:
    if not account:
        return None
    found = next((a for a in Accounts(database).list() if a.name == account and not a.is_disabled), None)
    if found is None:
        raise UserError(f"no account '{account}'; `lake accounts list` lists them / 没有账号 {account}")
    return found.actor()


def _print(rows: list[dict[str, object]], names: list[str]) -> None:
    cells = [["" if value is None else str(value) for value in row.values()] for row in rows]
    show_rows(Console(), names, cells)


@service.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; any but loopback needs TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on, for PostgreSQL's protocol.")] = 5433,
    flight_port: Annotated[int, typer.Option(help="Port for Arrow Flight SQL; 0: none.")] = 5434,
) -> None:
    """Answer queries by PostgreSQL's protocol and Arrow Flight SQL. `lake up sql-service` runs the same in the background.

    Example: `lake sql-service serve --port 5433 --flight-port 5434`
    """
    from jobs.serving.sql.serve import serve as serve_sql

    scheme = "grpc+tls" if settings().sql_tls_certificate else "grpc"
    also = f" · {scheme}://{host}:{flight_port}" if flight_port else ""
    typer.echo(f"postgresql://{host}:{port}/lake{also}  (Ctrl-C ends it / 按 Ctrl-C 结束)")
    serve_sql(settings(), host, port, flight_port)


@service.command("add-token")
def add_token(
    account: Annotated[str, typer.Argument(help="Login name; the token opens the SQL service as this account.")],
    note: Annotated[str, typer.Option(help="What it is for.")] = "",
    days: Annotated[int, typer.Option(min=1, max=366, help="Days for which it is valid.")] = 90,
) -> None:
    """Create a token and print it; it cannot be shown again.

    Example: `lake sql-service add-token zhangsan --note laptop`
    """
    from jobs.serving.sql.tokens import Tokens

    now = datetime.now(UTC)
    with state_database(settings()) as database:
        typer.echo(Tokens(database).add(account, note, now, now + timedelta(days=days))[1])


@service.command()
def tokens() -> None:
    """All tokens with account, end and last use; never their secrets.

    Example: `lake sql-service tokens`
    """
    from jobs.serving.sql.tokens import Tokens

    table = Table(
        "id / 编号",
        "account / 账号",
        "note / 用途",
        "created / 创建 (UTC)",
        "ends / 到期 (UTC)",
        "used / 最近使用 (UTC)",
    )
    with state_database(settings()) as database:
        for token in Tokens(database).all():
            used = f"{token.used_at:%F %T}" if token.used_at else ""
            table.add_row(
                token.id, token.account, token.note, f"{token.created_at:%F %T}", f"{token.ends_at:%F %T}", used
            )
    Console().print(table)


@service.command("end-token")
def end_token(
    token: Annotated[str, typer.Argument(help="Id of a token; `lake sql-service tokens` lists them.")],
) -> None:
    """End a token now; the SQL service refuses it at the next connection and the next query.

    Example: `lake sql-service end-token 1a2b3c4d`
    """
    from jobs.serving.sql.tokens import Tokens

    with state_database(settings()) as database:
        ended = Tokens(database).end(token, datetime.now(UTC))
    typer.echo(f"{ended.id} ({ended.account}) ended / 已停用")


@service.command()
def limit(
    account: Annotated[str, typer.Argument(help="Login name; empty: list what is set.")] = "",
    seconds: Annotated[
        int | None, typer.Option(min=1, help="Seconds after which a query of theirs is stopped.")
    ] = None,
    rows: Annotated[int | None, typer.Option(min=1, help="Most rows of an answer.")] = None,
    memory: Annotated[str | None, typer.Option(help="Memory for all their queries together, such as 2GiB.")] = None,
    queries: Annotated[int | None, typer.Option(min=1, help="Queries that they run at a time.")] = None,
) -> None:
    """Set how far the queries of an account may go; without options, it has the defaults again.

    Example: `lake sql-service limit zhangsan --memory 2GiB --seconds 300` · `lake sql-service limit`
    """
    from jobs.serving.sql.limits import AccountLimits, Own

    table = Table("account / 账号", "seconds / 秒", "rows / 行", "memory / 内存", "queries / 并发")
    with state_database(settings()) as database:
        limits = AccountLimits(database, settings())
        if account:
            limits.set(Own(account, seconds, rows, memory, queries))
        for own in limits.all():
            shown = (own.seconds, own.rows, own.memory, own.queries)
            table.add_row(own.account, *("" if value is None else str(value) for value in shown))
    Console().print(table)


@service.command()
def log(
    page: Annotated[int, typer.Option(min=1)] = 1,
    size: Annotated[int, typer.Option(min=1, max=1000, help="Queries a page.")] = 30,
) -> None:
    """The log of queries, newest first: who, when, what, grade, rows and duration.

    Example: `lake sql-service log --size 100`
    """
    from jobs.serving.sql.query_log import QueryLog

    table = Table(
        "id / 编号", "at / 时间 (UTC)", "who / 谁", "grade / 分级", "rows / 行", "ms", "outcome / 结果", "SQL"
    )
    with state_database(settings()) as database:
        entries, total = QueryLog(database).entries(page, size)
    for entry in entries:
        who = f"{entry.actor.name} {entry.actor.role}"
        numbers = (f"{entry.rows:,}", f"{entry.duration_ms:,}")
        table.add_row(entry.id, f"{entry.at:%F %T}", who, entry.grade, *numbers, entry.outcome, entry.sql[:200])
    Console().print(table)
    typer.echo(f"{total:,} queries / 条查询")
