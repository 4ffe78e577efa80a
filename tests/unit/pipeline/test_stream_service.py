"""What the service of the stream does at a turn, its collaborators replaced."""

from types import SimpleNamespace
from typing import Any

import pytest

from jobs.pipeline import stream_service
from jobs.pipeline.stream_service import FIRST_PAUSE_S, LOOK_S, StreamService


class Turns:
    """A service whose hours are sealed as given, turn by turn; `built` has the datasets whose products each turn built."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, sealed: list[list[str]]) -> None:
        self.sealed, self.built, self.broken = sealed, list[set[str]](), False
        streams = (SimpleNamespace(id="water"), SimpleNamespace(id="heat"))
        fakes: dict[str, Any] = {
            "load_usable": lambda *_: SimpleNamespace(streams=lambda: streams),
            "publish": lambda *_: 0,
            "seal_due": lambda *_: self.sealed.pop(0),
            "report_and_govern": lambda *_: None,
            "build_of": self._build,
        }
        for name, fake in fakes.items():
            monkeypatch.setattr(stream_service, name, fake)
        monkeypatch.setattr(StreamService, "_keep_running", lambda *_: None)
        ledger = SimpleNamespace(get=lambda delivery: SimpleNamespace(dataset=delivery.split("-")[0]))
        settings = SimpleNamespace(schemas=None, expectations=None)
        lake: Any = SimpleNamespace(settings=settings, ledger=ledger)
        self.service = StreamService(lake)
        self.service._checkpoint = "c"

    def _build(self, lake: object, registry: object, datasets: set[str]) -> None:
        if self.broken:
            raise ValueError("broken")
        self.built.append(set(datasets))


def test_the_first_turn_builds_what_a_process_that_died_may_not_have_built(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(monkeypatch, [[], [], ["heat-1"]])
    assert [turns.service._turn() for _ in range(3)] == [LOOK_S] * 3
    assert turns.built == [{"water", "heat"}, {"heat"}]


def test_what_could_not_be_built_is_built_at_the_next_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    turns = Turns(monkeypatch, [[], ["heat-1"], ["water-1"], []])
    turns.service._turn()
    turns.broken = True
    assert turns.service._turn() == FIRST_PAUSE_S
    turns.broken = False
    turns.service._turn()
    turns.service._turn()
    assert turns.built == [{"water", "heat"}, {"heat", "water"}]
