"""`lake run`: what the covering letter says reaches the landing zone; a repeat names the delivery that it repeats."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from jobs.cli import app, step_commands
from jobs.ingest.land import Landed, Manifest
from jobs.model.delivery import Delivery, State

BEFORE = Delivery("d-1", 1, "d", "p", State.ACCEPTED, "", 0, (), datetime(2026, 1, 5, tzinfo=UTC))


@pytest.fixture
def put(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was put into the landing zone, of a delivery that repeats d-1."""
    given: list[Any] = []
    monkeypatch.setattr(step_commands, "_put", lambda *arguments: given.append(arguments[1:]))
    monkeypatch.setattr(step_commands, "_delivery_ids", lambda *_: {"d-1"})
    monkeypatch.setattr(step_commands.steps, "land", lambda *_: (Landed(BEFORE, False),))
    monkeypatch.setattr(step_commands.steps, "pending", lambda *_: [])
    return given


def typed(*words: str) -> str:
    result = CliRunner().invoke(app, ["run", *words], terminal_width=200)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_letter_reaches_the_landing_zone(put: list[Any]) -> None:
    typed("a.csv", "--dataset", "d", "--rows", "3", "--supersedes", "d-0", "--sent-on", "2026-01-05")
    letter = Manifest(rows=3, supersedes="d-0", sent_on=date(2026, 1, 5))
    assert put == [([Path("a.csv")], "d", letter)]


def test_a_repeat_names_the_delivery_and_what_to_type(put: list[Any]) -> None:
    said = typed("a.csv", "--dataset", "d")
    assert "d-1" in said and "lake report" in said
