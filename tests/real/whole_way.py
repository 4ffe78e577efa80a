"""The real deliveries, what is known of each beforehand, and the way that each goes once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery
from jobs.model.rule_result import RuleRow
from jobs.model.verdict import Verdict
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load

GB2260 = "gov_cn/GB2260/"
STATIONS = ("Aotizhongxin", "Changping", "Dingling", "Dongsi", "Guanyuan", "Gucheng")


@dataclass(frozen=True)
class Sent:
    """One delivery of real files. `after` must have come before; `held` rows end in quarantine, `copies` are dropped."""

    dataset: str
    files: tuple[str, ...]
    rows: int
    copies: int = 0
    held: int = 0
    after: tuple[str, ...] = ()
    table: int | None = None
    """Rows of the silver table when it has come; None: its own good rows alone."""

    def good(self) -> int:
        return self.rows - self.copies - self.held


SENT: Mapping[str, Sent] = {
    "W1": Sent("tap_quality", ("water/Drinking_Water_Quality_Distribution_Monitoring_Data.csv",), 23_382),
    "W2": Sent("water_bills", ("water/Water_Consumption_And_Cost__2013_-_2020_.csv",), 34_627, copies=13_090),
    "W3": Sent("water_telemetry", ("water/geccoIC2018Train.csv",), 139_566),
    # held: a code BWSO, a zip 7626, and the one that SOURCES.md names: closed before created
    "W4": Sent("water_complaints", ("water/Water_Quality_complaints_(correction).csv",), 7_562, held=3),
    # all 1,232 keys stand in W4 as well, so that the table does not grow
    "W5": Sent("water_complaints", ("water/2015_water_complaints.xlsx",), 1_232, after=("W4",), table=7_559),
    # held: 2021-03-28 02:00, which the clock skipped
    "H1": Sent("heat_substation_scada", ("heat/xai4heat_scada_L4.csv",), 45_461, held=1),
    "H2": Sent("heat_substation_scada", ("heat/xai4heat_scada_L8.csv",), 31_243, after=("H1",), table=76_703),
    "H7": Sent("heat_supply_temp", ("heat/Campus_Energy_Centre_5.csv",), 21_181),
    "H8": Sent("heat_flow", ("heat/Campus_Energy_Centre_6.csv",), 51_555),
    "G1": Sent("building_gas", tuple(f"gas/UCam_Building_b40/gas/{year}.csv" for year in range(2011, 2023)), 105_192),
    "C1": Sent("universities", ("gov_cn/W020250627301230138068.xls",), 2_919),
    "C2": Sent("division_codes", (f"{GB2260}mca/201904.tsv",), 3_219),
    # areas against the ministry's table alone: "196 areas not in mca 201904"
    "C3": Sent("division_areas", ("gov_cn/areas.csv",), 2_978, held=196, after=("C2",)),
    "C2-others": Sent(
        "division_codes", (f"{GB2260}stats/201810.tsv", f"{GB2260}200712.tsv"), 7_183, after=("C2", "C3"), table=10_402
    ),
    "C4": Sent("air_stations", ("gov_cn/airnow.json",), 1_495),
    "E1": Sent("air_hourly", tuple(f"environment/PRSA_Data_{s}_20130301-20170228.csv" for s in STATIONS), 210_384),
    # held: the one without an address, "ASDLJDLST G FDH"
    "S3": Sent("businesses", ("supervision/sf_businesses.csv",), 6_399, held=1),
    "S1": Sent("inspections", ("supervision/sf_inspections.csv",), 14_233, copies=1, held=2, after=("S3",)),
    # held: 935 orphans and 11 times of day in place of a date; no row is both
    "S2": Sent("violations", ("supervision/sf_violations.csv",), 39_006, copies=12, held=946, after=("S3", "S1")),
    "S5": Sent("gas_incidents", ("supervision/incident_gas_distribution_jan2010_present.txt",), 1_314, held=1),
}


@dataclass(frozen=True)
class Outcome:
    """What the lake kept of a delivery, counted as soon as it was judged."""

    delivery: Delivery
    verdict: Verdict
    rules: tuple[RuleRow, ...]
    table: int
    silver: int
    quarantine: int
    evidence: int


class Way:
    """Takes each delivery the whole way once, and reads what came of it without an engine."""

    def __init__(self, lake: Lake, registry: Registry, real: Callable[[str], Path]) -> None:
        self.lake, self.registry, self._real = lake, registry, real
        self._taken: dict[str, Outcome] = {}

    def outcome(self, name: str) -> Outcome:
        """What came of a delivery, taken now where it was not yet, after those that it rests on."""
        if name not in self._taken:
            for earlier in SENT[name].after:
                self.outcome(earlier)
            self._taken[name] = self._take(SENT[name])
        return self._taken[name]

    def rows(
        self, zone: Zone, name: str, columns: list[str] | None = None, *only: tuple[str, str, Any]
    ) -> list[dict[str, Any]]:
        """Rows of a delivery's dataset in a zone; those of later deliveries too, unless `only` leaves them out."""
        self.outcome(name)
        table = self.lake.delta.open(self.lake.path(zone, SENT[name].dataset))
        if table is None:
            return []
        found: list[dict[str, Any]] = table.to_pyarrow_table(columns=columns, filters=list(only) or None).to_pylist()
        return found

    def _take(self, sent: Sent) -> Outcome:
        lake, provider = self.lake, self.registry.contract(sent.dataset).provider
        deliver(lake.store, [self._real(name) for name in sent.files], sent.dataset, provider, Manifest())
        new = [one.delivery.id for one in land(lake, self.registry) if one.is_new]
        assert len(new) == 1, f"{sent.dataset}: this delivery broke on its way earlier; see the first failure"
        loaded = load(lake, self.registry, new[0])
        conform(lake, self.registry, new[0])
        results = Results(lake.delta, lake.settings.s3_bucket)
        (verdict,) = results.verdicts([("delivery", "=", loaded.id)])
        found = results.rules([("delivery", "=", loaded.id)])
        rules = tuple(rule for rule in found if not rule.rule.startswith("delivery_"))
        counts = [self._count(zone, sent.dataset, loaded.id) for zone in (Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE)]
        return Outcome(loaded, verdict, rules, self._count(Zone.SILVER, sent.dataset), *counts)

    def _count(self, zone: Zone, dataset: str, delivery: str | None = None) -> int:
        table = self.lake.delta.open(self.lake.path(zone, dataset))
        if table is None:
            return 0
        only = [("_delivery", "=", delivery)] if delivery else None
        return int(table.to_pyarrow_table(columns=["_delivery"], filters=only).num_rows)


@cache
def expected() -> Mapping[str, Mapping[str, Any]]:
    """Entries of expected_counts.yaml, by name."""
    entries = yaml.safe_load((Path(__file__).parent / "expected_counts.yaml").read_text("utf-8"))
    return {entry["name"]: entry for entry in entries}


def expected_rules(name: str) -> dict[str, int]:
    """Rules that rows of the delivery break in the lake, and how many rows each."""
    entry = expected()[name]
    counts = {**entry["failed"], **entry.get("structural", {}), **entry.get("in_lake", {})}
    return {rule: count for rule, count in counts.items() if count}
