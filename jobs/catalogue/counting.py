"""Which items of the registers count towards the plan, and why the others do not."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from jobs.catalogue.registers import RegisterItem, Target, registers


@dataclass(frozen=True)
class DatasetState:
    """What the lake knows of a dataset or product. `score`: of the newest delivery, None where none was evaluated.

    `is_catalogued`: its entry is published; `is_late`: its next delivery is overdue; products are neither late nor scored.
    """

    title: str
    is_product: bool
    is_catalogued: bool
    is_mounted: bool
    is_late: bool
    newest_at: datetime | None
    score: float | None


@dataclass(frozen=True)
class Reviewed:
    """The newest version of an item, and when it was published; None while it never was."""

    item: RegisterItem
    at: datetime | None


@dataclass(frozen=True)
class Counted:
    """An item, and in Chinese why it does not count; it counts where there is no reason."""

    item: RegisterItem
    reasons: tuple[str, ...]


@dataclass(frozen=True)
class Progress:
    """A target of the plan: `counted` of `registered` items count."""

    target: Target
    registered: int
    counted: int


def counted(known: Sequence[Reviewed], states: Mapping[str, DatasetState], now: datetime) -> tuple[Counted, ...]:
    """Each item with its reasons, in the given order."""
    found: dict[str, Counted] = {}
    for one in sorted(
        known, key=lambda reviewed: bool(reviewed.item.related())
    ):  # after the sets that they are made of
        sets = {item for item in one.item.related() if item not in found or found[item].reasons}
        found[one.item.id] = Counted(one.item, tuple(_Check(one, states, now, sorted(sets)).reasons()))
    return tuple(found[one.item.id] for one in known)


def progress(items: Sequence[Counted]) -> tuple[Progress, ...]:
    """The targets of the plan, with how far they are."""
    found = []
    for target in registers().plan:
        mine = [one for one in items if one.item.register_name in target.registers]
        found.append(Progress(target, len(mine), sum(not one.reasons for one in mine)))
    return tuple(found)


@dataclass(frozen=True)
class _Check:
    reviewed: Reviewed
    states: Mapping[str, DatasetState]
    now: datetime
    uncounted_sets: Sequence[str]

    def reasons(self) -> list[str]:
        policy, item = registers(), self.reviewed.item
        if self.reviewed.at is None:
            return [policy.checks["published"]]
        if item.status != "in_use":
            return [policy.checks["in_use"].format(status=policy.statuses[item.status])]
        checks: Mapping[str, Callable[[], str]] = {
            "certified": lambda: "" if item.certificate and item.certificate.rows else policy.checks["certified"],
            "catalogued": lambda: self._those("catalogued", lambda s: s.is_catalogued or s.is_product),
            "mounted": lambda: self._those("mounted", lambda s: s.is_mounted),
            "fresh": lambda: self._those("fresh", self._is_fresh),
            "scored": lambda: self._those("scored", self._is_good, least=f"{self._least():g}"),
            "trained": lambda: self._trained(),
            "reviewed": lambda: self._review(),
            "effective": lambda: "" if item.facts.get("effect") else policy.checks["effective"],
        }
        return list(filter(None, (checks[name]() for name in policy.registers[item.register_name].counts)))

    def _those(self, check: str, passes: Callable[[DatasetState], bool], **said: str) -> str:
        """The check's message with the datasets that do not pass; empty where all do."""
        known = {name: self.states.get(name) for name in self.reviewed.item.datasets}
        failing = [state.title if state else name for name, state in known.items() if not (state and passes(state))]
        return registers().checks[check].format(names="、".join(failing), **said) if failing else ""

    def _is_fresh(self, state: DatasetState) -> bool:
        hours = self.reviewed.item.facts.get("freshness_h")
        if not hours or state.is_product:
            return not state.is_late
        newest = state.newest_at
        return newest is not None and self.now - newest <= timedelta(hours=float(hours))

    def _least(self) -> float:
        return float(self.reviewed.item.facts.get("least_score") or registers().least_score)

    def _is_good(self, state: DatasetState) -> bool:
        return state.is_product or (state.score is not None and state.score >= self._least())

    def _trained(self) -> str:
        return registers().checks["trained"].format(names="、".join(self.uncounted_sets)) if self.uncounted_sets else ""

    def _review(self) -> str:
        at, days = self.reviewed.at, registers().review_days
        if at is None or self.now - at <= timedelta(days=days):
            return ""
        return registers().checks["reviewed"].format(day=f"{at:%Y-%m-%d}", days=days)
