"""One scenario: the readings undisturbed, the same readings disturbed, and the comparison."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from jobs.lake.lake import Lake, opened
from jobs.lake.zones import Zone
from jobs.pipeline import steps
from jobs.pipeline.stream_figures import figures
from jobs.settings import Settings
from tests.soak.contracts import DATASETS, KINDS, name_of, new_key, write_contracts
from tests.soak.disturbance import DISK, kill_at_random, say, take_down
from tests.soak.outcome import CURATED, Outcome, differences, outcome
from tests.soak.plan import IN_REQUEST, Plan, plan_of
from tests.soak.sender import Sender
from tests.soak.services import Services

PATIENCE_S = 1200
CALM_S, AFTER_S = 20, 15
"""Seconds of sending before the first disturbance and after the last one."""
Plans = dict[str, Plan]


@dataclass(frozen=True)
class Scenario:
    """What is to be done. `outage`: a service that is down for `minutes`, instead of `kills`."""

    seed: int
    kills: int
    seconds_between: float
    outage: str | None
    minutes: float
    slow_s3_ms: int
    rate: float

    def seconds(self) -> float:
        """How long readings are sent."""
        disturbed = self.minutes * 60 if self.outage else self.kills * (self.seconds_between + 2)
        return CALM_S + disturbed + AFTER_S

    def disturb(self, services: Services) -> Counter[str]:
        """Kills by kind."""
        if self.outage:
            return take_down(services, self.outage, self.minutes)
        return kill_at_random(services, self.seed, self.kills, self.seconds_between)


def run(scenario: Scenario, folder: Path) -> list[str]:
    """What is wrong in the end; the figures are printed."""
    requests = round(scenario.seconds() * scenario.rate / IN_REQUEST)
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    plans = {name: plan_of(scenario.seed * 10 + place, requests, end) for place, name in enumerate(DATASETS)}
    write_contracts(folder)
    services = Services(folder, scenario.slow_s3_ms, may_be_full=scenario.outage == DISK)
    with services as settings:
        secret = new_key(settings)
        senders = _start(settings, secret, plans, "undisturbed", 0)
        _finish(services, settings, senders)
        say("undisturbed readings are sealed")
        services.start_again("stream")
        senders = _start(settings, secret, plans, "disturbed", IN_REQUEST / scenario.rate)
        time.sleep(CALM_S)
        kills = scenario.disturb(services)
        began = time.monotonic()
        behind = sum(p.total() for p in plans.values()) - sum(s.acknowledged for s in senders)
        caught_up = _finish(services, settings, senders)
        with opened(settings) as lake:
            return _compared(lake, plans, _figures(kills, senders, caught_up - began, behind))


def _start(settings: Settings, secret: str, plans: Plans, kind: str, pause_s: float) -> list[Sender]:
    senders = []
    for dataset, plan in plans.items():
        url = f"{settings.collector_url}/v1/telemetry/{name_of(dataset, kind)}"
        senders.append(Sender(url, secret, plan, pause_s))
        senders[-1].start()
    return senders


def _finish(services: Services, settings: Settings, senders: list[Sender]) -> float:
    """Wait until all is sent and in the lake, and seal all hours; the moment at which all was in the lake."""
    _wait(lambda: not any(sender.is_alive() for sender in senders), "sent")
    with opened(settings) as lake:
        _wait(lambda: _lag(lake, {sender.dataset for sender in senders}) == 0, "in the lake")
    caught_up = time.monotonic()
    say("all is in the lake")
    services.end("stream")
    steps.seal(settings, datetime.now(UTC) + timedelta(days=1))
    return caught_up


def _wait(is_done: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not is_done():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not {what} after {PATIENCE_S} s")
        time.sleep(1)


def _lag(lake: Lake, datasets: set[str]) -> int | None:
    """Messages that are not in the lake; None while that is not known of each dataset: before its first batch, nothing is."""
    lags = {one.dataset: one.lag for one in figures(lake)}
    known = [lag for dataset in datasets if (lag := lags.get(dataset)) is not None]
    return sum(known) if len(known) == len(datasets) else None


def _figures(kills: Counter[str], senders: list[Sender], seconds: float, behind: int) -> list[str]:
    answers = sum((sender.answers for sender in senders), Counter[str]())
    return [
        f"kills {kills.total()} ({_listed(kills)})",
        f"answers {_listed(answers)}",
        f"unsent after the last {behind}",
        f"caught up {seconds:.0f} s after the last",
    ]


def _listed(counts: Counter[str]) -> str:
    return ", ".join(f"{name} {count}" for name, count in sorted(counts.items()))


def _compared(lake: Lake, plans: Plans, figures_: list[str]) -> list[str]:
    """What is wrong, by dataset; prints the line of figures."""
    mistakes: list[str] = []
    rows: Counter[str] = Counter()
    again, are_equal = 0, True
    for dataset, plan in plans.items():
        expected, actual = (outcome(lake, name_of(dataset, kind), plan) for kind in KINDS)
        mistakes += [f"{dataset}: {mistake}" for mistake in _mistakes(expected, actual)]
        rows.update({zone: actual.tables[zone].total() for zone in (Zone.TELEMETRY, *CURATED)})
        again += actual.again
        are_equal &= expected.hash() == actual.hash()
    sent = (
        f"readings {sum(plan.total() for plan in plans.values())}, sent again without an answer though stored {again}"
    )
    hashes = f"hashes {'equal' if are_equal else 'NOT equal'}"
    print("; ".join([*figures_, sent, f"rows {_listed(rows)}", hashes]), flush=True)
    return mistakes


def _mistakes(expected: Outcome, actual: Outcome) -> list[str]:
    undisturbed = [f"undisturbed: {mistake}" for mistake in expected.mistakes]
    return [*undisturbed, *actual.mistakes, *differences(expected, actual)]
