"""What commands open: the usable contracts, with a warning for broken ones, and the state database; what they say of drafts."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from jobs import contracts
from jobs.contracts import Registry
from jobs.settings import Settings

if TYPE_CHECKING:
    from jobs.lake.database import Database


def usable_contracts(config: Settings) -> Registry:
    """All usable contracts; a warning on standard error names those that cannot be used."""
    registry = contracts.load_usable(config.schemas, config.expectations)
    if registry.broken:
        names = ", ".join(sorted(registry.broken))
        typer.echo(
            f"contracts that cannot be used: {names}; see `lake contracts check` / 以下契约有误，暂不可用", err=True
        )
    return registry


@contextmanager
def state_database(config: Settings) -> "Iterator[Database]":
    """The migrated state database, which is closed at the end."""
    from jobs.lake.database import Database  # commands over contracts alone start without SQLAlchemy

    database = Database(config.state_url())
    database.migrate()
    try:
        yield database
    finally:
        database.close()


def still(lacking: Sequence[str]) -> str:
    """What a draft still lacks, in Chinese; empty where it lacks nothing."""
    return f"草稿待补充：{'；'.join(lacking)}" if lacking else ""
