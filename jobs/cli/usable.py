"""The contracts for commands: usable ones work, and broken ones are named once."""

import typer

from jobs import contracts
from jobs.contracts import Registry
from jobs.settings import Settings


def usable_contracts(config: Settings) -> Registry:
    """All usable contracts; a warning on standard error names those that cannot be used."""
    registry = contracts.load_usable(config.schemas, config.expectations)
    if registry.broken:
        names = ", ".join(sorted(registry.broken))
        typer.echo(
            f"contracts that cannot be used: {names}; see `lake contracts check` / 以下契约有误，暂不可用", err=True
        )
    return registry
