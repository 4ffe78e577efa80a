"""The city's state: every delivery with its verdict, and scores by department and county, read together."""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.contracts import Registry
from jobs.lake.lake import Lake
from jobs.reporting import GroupScore, period_scores
from jobs.reporting.entries import Entry, entries


@dataclass(frozen=True)
class OverviewSnapshot:
    """As of one moment; entries in order of arrival, answers to tickets among them."""

    entries: tuple[Entry, ...]
    departments: Mapping[str, GroupScore]
    counties: Mapping[str, GroupScore]

    def of_dataset(self, dataset: str) -> list[Entry]:
        """Deliveries of a dataset, with the answers to its tickets."""
        return [e for e in self.entries if e.delivery.dataset == dataset]

    def of_department(self, provider: str) -> list[Entry]:
        """Deliveries of a department, with its answers to tickets."""
        return [e for e in self.entries if e.delivery.provider == provider]


def read_overview(lake: Lake, registry: Registry) -> OverviewSnapshot:
    """The overview as of now."""
    return OverviewSnapshot(
        tuple(entries(lake, registry)),
        {score.group: score for score in period_scores(lake, "department")},
        {score.group: score for score in period_scores(lake, "county")},
    )
