"""The command line: everything that a DAG task does is a command."""

import logging
import sys

import typer

from jobs.cli.command_modules import LazyGroup
from jobs.errors import LakeError

app = typer.Typer(
    name="lake",
    cls=LazyGroup,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
)


@app.callback()
def lake() -> None:
    """The city's data lake on the command line. 城市数据湖命令行。

    A delivery goes **deliver → land → load → conform → report**; products are built by **build**.
    Every command has `--help` with an example.
    """


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
