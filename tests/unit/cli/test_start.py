"""What a command imports before it does anything, and which module has it."""

import subprocess
import sys
from pathlib import Path

import pytest

from jobs.cli.command_modules import COMMANDS, MODULES, LazyCommands, commands_of
from jobs.settings import PROJECT

HEAVY = ("deltalake", "fastapi", "great_expectations", "jsonschema", "pandas", "pyspark", "sqlalchemy")
SCRIPT = """
import sys
from jobs.cli import app
try:
    app()
except SystemExit as end:
    print(end.code, *sorted(set(sys.modules) & set({heavy!r})))
"""


def outcome(tmp_path: Path, *words: str) -> str:
    """Exit code of a command in a process of its own, and which heavy packages it imported."""
    env = {"LAKE_HOME": str(tmp_path), "PYTHONPATH": str(PROJECT)}
    if "new" in words:
        env["LAKE_SCHEMAS"] = str(tmp_path / "schemas")
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT.format(heavy=HEAVY), "contracts", *words]
    done = subprocess.run(command, env=env, stdout=subprocess.PIPE, text=True, check=True)
    return done.stdout.splitlines()[-1]


def test_check_of_valid_contracts_needs_neither_engine_nor_data_frames(tmp_path: Path) -> None:
    assert outcome(tmp_path, "check") == "0"


@pytest.mark.parametrize("file", ["case.csv", "抄表.xlsx", "半坏.jsonl", "读数.parquet"])
def test_proposal_needs_neither_engine_nor_data_frames(tmp_path: Path, file: str) -> None:
    (found,) = (PROJECT / "tests" / "probes").rglob(file)
    assert outcome(tmp_path, "new", str(found), "-d", "proposed") == "0"
    assert len(list((tmp_path / "schemas").rglob("proposed.yaml"))) == 1


@pytest.mark.parametrize("module", COMMANDS)
def test_module_has_the_commands_that_the_table_names(module: str) -> None:
    assert sorted(commands_of(module)) == sorted(COMMANDS[module])


def test_commands_are_in_the_order_of_the_table_and_cannot_be_changed() -> None:
    commands = LazyCommands()
    assert list(commands) == list(MODULES) and len(commands) == len(MODULES)
    with pytest.raises(TypeError):
        commands["check"] = None
    with pytest.raises(TypeError):
        del commands["up"]
