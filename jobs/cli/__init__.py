"""The command line: everything that a DAG task does is a command."""

import logging
import sys

import typer

from jobs.cli import (
    account_commands,
    audit_commands,
    bench_commands,
    bulletin_commands,
    contract_commands,
    demo,
    proof_commands,
    query,
    service_commands,
    step_commands,
    ticket_commands,
)
from jobs.errors import LakeError

app = typer.Typer(
    name="lake",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    help="""The city's data lake on the command line. 城市数据湖命令行。

A delivery goes **deliver → land → load → conform → report**; products are built by **build**.
Every command has `--help` with an example.""",
)
service_commands.add_to(app)
step_commands.add_to(app)
query.add_to(app)
proof_commands.add_to(app)
demo.add_to(app)
ticket_commands.add_to(app)
audit_commands.add_to(app)
app.add_typer(account_commands.app, name="accounts", rich_help_panel="Services")
bulletin_commands.add_to(app)
app.add_typer(contract_commands.app, name="contracts", rich_help_panel="Author")
app.add_typer(bench_commands.app, name="bench", rich_help_panel="Try")


def main() -> None:
    """Run the command line; an error that a person can correct is one message and an exit code, never a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s %(message)s")
    logging.getLogger("jobs").setLevel(logging.INFO)
    logging.getLogger("sqlglot").setLevel(logging.ERROR)  # our own message names what it cannot parse
    try:
        app()
    except LakeError as error:
        typer.echo(f"lake: {error}", err=True)
        sys.exit(error.exit_code)
