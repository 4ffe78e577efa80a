"""The demo city's files on their way: handed over when what they refer to is evaluated, and followed to their reports."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State
from jobs.simulator.city import SentFile

OPEN = (State.LANDED, State.LOADED)


@dataclass
class Underway:
    """A file with the key that it was handed over with, and its delivery once it is recorded."""

    file: SentFile
    key: str = ""
    delivery: Delivery | None = None
    report: str = ""

    def is_evaluated(self) -> bool:
        return self.delivery is not None and self.delivery.state not in OPEN


class Feeds:
    """The files of some days, in the order in which they are sent."""

    def __init__(self, lake: Lake, registry: Registry) -> None:
        self._lake, self._registry = lake, registry
        self.files: list[Underway] = []

    def add(self, files: Sequence[SentFile]) -> None:
        """The files of the next day."""
        self.files += [Underway(file) for file in files]

    def move(self) -> None:
        """Hand over what is ready, after a look at how far the others are."""
        self._look()
        for one in self.files:
            if not one.key and self._is_ready(one):
                self._hand_over(one)

    def is_recorded(self) -> bool:
        """Whether every file is a delivery: the next day may begin, since a dataset's deliveries are evaluated in order."""
        return all(one.delivery for one in self.files)

    def is_reported(self) -> bool:
        return all(one.report for one in self.files)

    def first_report(self) -> str:
        """Key of the first report there is; empty before."""
        return next((one.report for one in self.files if one.report), "")

    def __str__(self) -> str:
        counts = {
            "sent / 已报送": sum(bool(one.key) for one in self.files),
            "landed / 已接收": sum(one.delivery is not None for one in self.files),
            "evaluated / 已检核": sum(one.is_evaluated() for one in self.files),
            "reported / 已出报告": sum(bool(one.report) for one in self.files),
        }
        waiting = dict.fromkeys(one.file.dataset for one in self.files if one.key and not one.is_evaluated())
        now = f" · now / 正在处理: {', '.join(waiting)}" if waiting else ""
        return " · ".join(f"{name} {count}" for name, count in counts.items()) + now

    def _look(self) -> None:
        ledger = self._lake.ledger
        if all(one.report for one in self.files):
            return
        known = {delivery.id: delivery for delivery in ledger.deliveries()}
        for one in self.files:
            if one.key and not one.is_evaluated():
                one.delivery = known.get(ledger.delivery_of(one.key) or "")
            if one.is_evaluated() and not one.report:
                one.report = self._report_of(one.delivery)

    def _report_of(self, delivery: Delivery | None) -> str:
        key = f"{Zone.REPORTS}/{delivery.provider}/{delivery.dataset}/{delivery.id}.html" if delivery else ""
        return key if key and self._lake.store.head(key) else ""

    def _is_ready(self, one: Underway) -> bool:
        """Whether the datasets that it refers to are evaluated, so that its references resolve."""
        needed = needs(self._registry, one.file.dataset)
        return all(other.is_evaluated() for other in self.files if other.file.dataset in needed)

    def _hand_over(self, one: Underway) -> None:
        file = one.file
        manifest = Manifest(
            sender=file.sender,
            rows=file.declared_rows,
            supersedes=_replaced(self._lake, file),
            sent_on=date.fromisoformat(file.sidecar["sent_on"]),
        )
        (one.key,) = deliver(self._lake.store, [file.path], file.dataset, file.provider, manifest)


def needs(registry: Registry, dataset: str) -> set[str]:
    """Datasets that its fields refer to or its rules look into."""
    referenced = {f.reference.partition(".")[0] for f in registry.contract(dataset).fields if f.reference}
    return (referenced | {lookup.dataset for rule in registry.rules[dataset] for lookup in rule.lookups}) - {dataset}


def _replaced(lake: Lake, file: SentFile) -> str | None:
    """Id of the delivery that a corrected file replaces: the latest of its dataset for the day that it names."""
    if file.supersedes_of is None:
        return None
    day = file.supersedes_of.rsplit("/", 1)[-1]
    earlier = [d for d in lake.ledger.deliveries(file.dataset) if d.superseded_by is None]
    same_day = [d for d in earlier if any(day in name or day.replace("-", "") in name for name in d.names())]
    return (same_day or earlier)[-1].id if earlier else None
