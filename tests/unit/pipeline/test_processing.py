"""Several deliveries in one task: each is done, whatever is wrong with another."""

from types import SimpleNamespace
from typing import Any

import pytest

from jobs.errors import ServiceUnavailable, UserError
from jobs.pipeline import processing

Called = list[tuple[str, str]]


@pytest.fixture
def called(monkeypatch: pytest.MonkeyPatch) -> Called:
    """Steps that only note what they are called with; three deliveries wait."""
    seen: Called = []
    monkeypatch.setattr(processing, "pending", lambda *_: ["a", "b", "c"])
    for name in ("load", "conform"):
        monkeypatch.setattr(processing, name, lambda lake, registry, one, name=name: seen.append((name, one)))
    return seen


def run() -> list[str]:
    nothing: Any = SimpleNamespace()
    return processing.load_and_conform(nothing, nothing, "station")


def failing(monkeypatch: pytest.MonkeyPatch, called: Called, error: Exception) -> None:
    """Loading the second delivery fails."""

    def load(lake: Any, registry: Any, one: str) -> None:
        called.append(("load", one))
        if one == "b":
            raise error

    monkeypatch.setattr(processing, "load", load)


def test_deliveries_are_loaded_and_evaluated_one_after_the_other(called: Called) -> None:
    assert run() == ["a", "b", "c"]
    assert called == [(step, one) for one in "abc" for step in ("load", "conform")]


def test_what_is_wrong_with_one_delivery_is_raised_when_the_others_are_done(
    called: Called, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    failing(monkeypatch, called, UserError("wrong contract"))
    with pytest.raises(UserError, match="wrong contract"):
        run()
    assert [one for step, one in called if step == "conform"] == ["a", "c"]
    assert "station: delivery b could not be evaluated" in caplog.text


def test_an_unavailable_service_ends_the_step_at_once_to_be_tried_again(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, called, ServiceUnavailable("S3 is away"))
    with pytest.raises(ServiceUnavailable):
        run()
    assert called[-1] == ("load", "b")


def test_tickets_follow_the_reports_of_the_same_deliveries(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(processing, "reports", lambda lake, registry, *ids: seen.append(ids) or [*ids, "late"])
    monkeypatch.setattr(processing, "governed", lambda lake, registry, *ids: seen.append(ids) or ["changes"])
    nothing: Any = SimpleNamespace()
    assert processing.report_and_govern(nothing, nothing, "one") == ["changes"]
    assert seen == [("one",), ("one", "late")]
