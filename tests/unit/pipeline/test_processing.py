"""Several deliveries in one task: each is done, whatever is wrong with another."""

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from jobs.errors import ServiceUnavailable, UserError
from jobs.pipeline import processing, products

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
    lake: Any = SimpleNamespace(ledger=SimpleNamespace(evaluated=lambda one: None))
    return processing.load_and_conform(lake, lake, "station")


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
    assert "delivery b failed" in caplog.text


def test_an_unavailable_service_ends_the_step_at_once_to_be_tried_again(
    called: Called, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, called, ServiceUnavailable("S3 is away"))
    with pytest.raises(ServiceUnavailable):
        run()
    assert called[-1] == ("load", "b")


class ListedLedger:
    """Deliveries without tickets; more of them are evaluated while the first one's are being done."""

    def __init__(self, *ids: str) -> None:
        self.waiting = list(ids)

    def ungoverned(self) -> list[SimpleNamespace]:
        return [SimpleNamespace(id=one, dataset="station") for one in self.waiting]

    def govern(self, one: str, then: tuple[str, ...] = ()) -> str:
        self.waiting.remove(one)
        self.waiting += then
        return f"changes of {one}"


def told(monkeypatch: pytest.MonkeyPatch, ledger: ListedLedger, broken: str = "") -> tuple[list[Any], list[Any]]:
    """What is done in order, and what is returned."""
    done: list[Any] = []

    def govern(lake: Any, registry: Any, one: str) -> str:
        done.append(one)
        if one == broken:
            raise UserError(one)
        return ledger.govern(one, ("late",) if one == "a" else ())

    monkeypatch.setattr(processing, "write_reports", lambda lake, registry, ids: done.append(tuple(ids)))
    monkeypatch.setattr(processing, "govern", govern)
    lake, registry = SimpleNamespace(ledger=ledger), SimpleNamespace(contracts={"station": None})
    try:
        return done, processing.report_and_govern(lake, registry)  # type: ignore[arg-type]
    except UserError:
        return done, ["failed"]


def test_reports_of_what_is_evaluated_meanwhile_come_before_the_next_tickets(monkeypatch: pytest.MonkeyPatch) -> None:
    done, changes = told(monkeypatch, ListedLedger("a", "b"))
    assert done == [("a", "b"), "a", ("late",), "b", "late"]
    assert changes == ["changes of a", "changes of b", "changes of late"]


def test_tickets_that_fail_stop_no_others_and_nothing_is_done_where_nothing_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert told(monkeypatch, ListedLedger("b", "c"), broken="b") == ([("b", "c"), "b", "c"], ["failed"])
    assert told(monkeypatch, ListedLedger()) == ([], [])


def test_a_product_waits_for_deliveries_of_its_inputs_but_not_for_ever() -> None:
    now = datetime.now(UTC)
    ages = {"fresh": ("station", 1), "other": ("hotline", 1), "stuck": ("station", 11)}
    waiting = [SimpleNamespace(id=i, dataset=d, received_at=now - timedelta(minutes=m)) for i, (d, m) in ages.items()]
    lake: Any = SimpleNamespace(ledger=SimpleNamespace(deliveries=lambda states: waiting))
    product = SimpleNamespace(product=SimpleNamespace(inputs=("station",)))
    registry: Any = SimpleNamespace(contract=lambda name: product)
    assert products.awaited(lake, registry, "station_day") == ["fresh"]
