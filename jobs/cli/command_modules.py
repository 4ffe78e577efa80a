"""Which module has which command. A module is imported when one of its commands is asked for: most take seconds."""

from collections.abc import Iterator, MutableMapping
from functools import cache
from importlib import import_module
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_group

COMMANDS = {
    "service_commands": ("up", "status", "down", "portal"),
    "step_commands": (
        "deliver", "land", "load", "conform", "govern", "report", "build", "run", "deliveries", "upkeep",
    ),
    "stream_commands": ("stream",),
    "collector_commands": ("collector",),
    "alarm_commands": ("alarms",),
    "query": ("sql", "tables", "plan", "profile"),
    "sql_commands": ("query", "sql-service"),
    "grant_commands": ("grants",),
    "catalogue_commands": ("catalogue",),
    "register_commands": ("registers",),
    "asset_commands": ("assets",),
    "lineage_commands": ("lineage",),
    "proof_commands": ("verify", "recheck", "scores"),
    "demo": ("demo", "simulate"),
    "ticket_commands": ("clocks", "tickets", "calendar"),
    "audit_commands": ("audit",),
    "account_commands": ("accounts",),
    "bulletin_commands": ("bulletin",),
    "contract_commands": ("contracts",),
    "bench_commands": ("bench",),
}  # fmt: skip
"""Commands by module, in the order of the help."""

MODULES = {name: module for module, names in COMMANDS.items() for name in names}


@cache
def commands_of(module: str) -> MutableMapping[str, Any]:
    """The commands that a module registers, by name."""
    app = typer.Typer(rich_markup_mode="markdown")
    import_module(f"jobs.cli.{module}").add_to(app)
    return get_group(app).commands


class LazyCommands(MutableMapping[str, Any]):
    """All commands by name; the value is made when it is read."""

    def __getitem__(self, name: str) -> Any:
        return commands_of(MODULES[name])[name]

    def __iter__(self) -> Iterator[str]:
        return iter(MODULES)

    def __len__(self) -> int:
        return len(MODULES)

    def __setitem__(self, name: str, command: Any) -> None:
        raise TypeError("commands are registered in COMMANDS")

    def __delitem__(self, name: str) -> None:
        raise TypeError("commands are registered in COMMANDS")


class LazyGroup(TyperGroup):
    """The group of all commands."""

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = LazyCommands()
