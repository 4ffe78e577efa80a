"""Real feeds with labelled events, judged by the lake: how much of the labels its rules find, and what else they flag.

The rules' limits come from the unlabelled rows of a feed's first quarter; the last three quarters are measured, and
none of their labels is used for anything but the score. Feeds by their names in SOURCES.md: W3, a waterworks; G4, the
gas pressure of a boiler; W6, the water network L-TOWN, whose bursts and telemetry are computed; H5, a heat meter whose
publisher has cleaned it, where every flag is a false alarm.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from jobs import contracts
from jobs.contracts import Registry
from jobs.contracts.alarm import AlarmPolicy
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load
from tests.bench import l_town, limits
from tests.bench.common import Measures, stopwatch
from tests.bench.scoring import AlarmScore, Score, alarm_score, alarms, score

CONTRACTS = Path(__file__).parents[1] / "real" / "contracts"
DATA = Path(__file__).parents[3] / "shared" / "data" / "real"
TRAIN = 0.25
TOLERANCE = 5
"""Rows between a flag and an event that it still belongs to."""
HOUR, DAY, WEEK = 3_600, 86_400, 604_800
META = {"dimension": "准确性", "message": "读数异常", "remedy": "请核对测点", "basis": "限值取自平稳时段"}
TYPES = {
    "band": "expect_column_values_to_be_between",
    "stuck": "expect_column_values_to_not_be_stuck",
    "spike": "expect_column_values_to_not_spike",
    "plateau": "expect_column_values_to_not_spike",
    "gap": "expect_column_values_to_follow_in_time",
    "fall": "expect_column_values_to_not_fall",
    "depart": "expect_column_values_to_not_depart",
    "drift": "expect_column_values_to_not_drift",
}
PER_FIELD = ("band", "stuck", "spike", "plateau", "depart", "drift")
SETS: Mapping[str, tuple[str, ...]] = {
    **{kind: (kind,) for kind in TYPES},
    "neighbours": ("stuck", "spike", "gap", "fall"),
    "plateau_or_depart": ("plateau", "depart"),
    "all": tuple(TYPES),
}
"""What is measured: each kind by itself, and kinds together."""
ALARMED = ("band", "depart", "plateau_or_depart")
"""Of these also the alarms that they would open in a stream; a stream flags the same readings as a file."""
POLICY = AlarmPolicy()


def _as_sent(source: Path, folder: Path) -> Path:
    return source


def _with_hours(source: Path, folder: Path) -> Path:
    """The meter's file with what each hour used, from its counters; the heat of the water over its volume is in ℃."""
    rows = pd.read_csv(source)
    step = rows[["energy_heat_kwh", "volume_flow_m3", "inlet_flow_energy_m3xC"]].diff()
    rows["heat_kwh"], rows["volume_m3"] = step["energy_heat_kwh"], step["volume_flow_m3"]
    rows["supply_temp_c"] = (step["inlet_flow_energy_m3xC"] / step["volume_flow_m3"]).where(step["volume_flow_m3"] > 0)
    target = folder / source.name
    rows.to_csv(target, index=False)
    return target


@dataclass(frozen=True)
class Feed:
    """A real feed: which columns are judged, what makes a reference, and where the labels are."""

    name: str
    dataset: str
    file: str
    fields: Mapping[str, str]
    """Field of the contract: header of the file."""
    at: str
    depart: limits.Timing
    drift: limits.Timing
    interval_s: int
    plateau: int
    """Readings within which a step that is taken back was no lasting change."""
    series: tuple[str, ...] = ()
    label: str = ""
    counters: tuple[str, ...] = ()
    send: Callable[[Path, Path], Path] = field(default=_as_sent)


FEEDS = (
    Feed(
        name="w3",
        dataset="water_telemetry",
        file="water/geccoIC2018Train.csv",
        fields={
            "chlorine_dioxide_mg_l": "Cl",
            "chlorine_dioxide_2_mg_l": "Cl_2",
            "ph": "pH",
            "redox_mv": "Redox",
            "conductivity_us_cm": "Leit",
            "turbidity_ntu": "Trueb",
        },
        at="Time",
        depart={"period_s": HOUR, "back": 12, "least": 120, "readings": 3},
        drift={"period_s": HOUR, "every_s": DAY, "back": 7, "least": 120, "readings": 120},
        interval_s=60,
        plateau=60,
        label="EVENT",
    ),
    Feed(
        name="g4",
        dataset="boiler_gas_pressure",
        file="gas/CEC_compiled_data_4b_updated.csv",
        fields={"pressure_kpa": "Value"},
        at="Datetime",
        depart={"period_s": HOUR, "back": 24, "least": 24, "readings": 2},
        drift={"period_s": 6 * HOUR, "back": 28, "least": 96, "readings": 24},
        interval_s=900,
        plateau=4,
        series=("point_name",),
        label="Anomaly",
    ),
    Feed(
        name="l_town",
        dataset="l_town_readings",
        file="water/L-TOWN.inp",
        fields={
            "inflow_m3_h": "Inflow",
            "night_inflow_m3_h": "NightInflow",
            **{f"pressure_{node}_m": node for node in l_town.SENSORS},
        },
        at="Timestamp",
        depart={"period_s": HOUR, "every_s": WEEK, "back": 2, "least": 12, "readings": 3},
        drift={"period_s": HOUR, "every_s": WEEK, "back": 3, "least": 12, "readings": 12},
        interval_s=300,
        plateau=12,
        label="Leak",
        send=l_town.telemetry,
    ),
    Feed(
        name="h5",
        dataset="heat_meter_hours",
        file="heat/processed_final_data_sample.csv",
        fields={"heat_kwh": "heat_kwh", "volume_m3": "volume_m3", "supply_temp_c": "supply_temp_c"},
        at="time_rounded",
        depart={"period_s": HOUR, "every_s": DAY, "back": 14, "least": 7, "readings": 3},
        drift={"period_s": DAY, "back": 14, "least": 7 * 24, "readings": 48},
        interval_s=HOUR,
        plateau=3,
        series=("meter_id",),
        counters=("heat_total_kwh", "volume_total_m3"),
        send=_with_hours,
    ),
)


@dataclass(frozen=True)
class FeedFlags:
    """What the lake flagged of a feed's file: by rule, the file's rows. `rows`: as `_rows` gives them."""

    feed: Feed
    file: Path
    rows: pd.DataFrame
    suite: Mapping[str, Any]
    found: Mapping[str, set[int]]


def measure(lake: Lake, folder: Path, measures: Measures) -> list[FeedFlags]:
    """Each feed taken once through the lake as a file; a missing file of the shared data is an error."""
    return [_measured(lake, folder, measures, feed) for feed in FEEDS]


def _measured(lake: Lake, folder: Path, measures: Measures, feed: Feed) -> FeedFlags:
    folder.mkdir(parents=True, exist_ok=True)
    file = feed.send(DATA / feed.file, folder)
    rows = _rows(feed, file)
    suite = _suite(feed, rows)
    path = folder / "expectations" / "sources" / home(feed).with_suffix(".yaml")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(suite, allow_unicode=True), "utf-8")
    registry = contracts.load(CONTRACTS, folder / "expectations")
    with stopwatch(f"{feed.name}: {len(rows):,} rows"):
        found = judged(lake, registry, feed.dataset, file)
    _say(measures, feed, rows, found)
    return FeedFlags(feed, file, rows, suite, found)


def home(feed: Feed) -> Path:
    """The contract's path below `sources`, which its suite shares."""
    (contract,) = CONTRACTS.glob(f"sources/*/{feed.dataset}.yaml")
    return contract.relative_to(CONTRACTS / "sources")


def _rows(feed: Feed, file: Path) -> pd.DataFrame:
    """The file in the order of time, equal copies left out: the fields, `at`, `label`, `row` as the lake counts rows."""
    sent = pd.read_csv(file)
    rows = sent.rename(columns={header: name for name, header in feed.fields.items()})
    rows = rows[list(feed.fields)].astype(float)
    rows["at"] = pd.to_datetime(sent[feed.at]).dt.tz_localize(None)
    rows["label"] = sent[feed.label].astype(str).str.upper() == "TRUE" if feed.label else False
    rows["row"] = np.arange(len(sent)) + 2
    return rows[~sent.duplicated()].sort_values("at", kind="stable").reset_index(drop=True)


def _suite(feed: Feed, rows: pd.DataFrame) -> dict[str, Any]:
    """The suite of a feed, its limits from the unlabelled rows of the first quarter."""
    first = rows[: int(len(rows) * TRAIN)]
    quiet = first[~first["label"]].set_index("at")
    where = {"series": list(feed.series), "at": "read_at"}
    rules = [rule("gap", "read_at", {**where, "interval_s": feed.interval_s, "limit": 1.5})]
    rules += [rule("fall", name, where) for name in feed.counters]
    for name in feed.fields:
        values, others = quiet[name], [other for other in feed.fields if other != name]
        rules += [
            rule("band", name, limits.band(values)),
            rule("stuck", name, {**where, **limits.stuck(values), "while_moves": others or None}),
            rule("spike", name, {**where, **limits.spike(values)}),
            rule("plateau", name, {**where, **limits.spike(values), "readings": feed.plateau}),
            rule("depart", name, {**where, **limits.depart(values, feed.depart)}),
            rule("drift", name, {**where, **limits.drift(values, feed.drift)}),
        ]
    return {"name": feed.dataset, "expectations": rules}


def rule(kind: str, column: str, kwargs: Mapping[str, Any]) -> dict[str, Any]:
    words = {"column": column, **{key: value for key, value in kwargs.items() if value is not None}}
    return {"id": f"{kind}_{column}", "type": TYPES[kind], "kwargs": words, "severity": "warning", "meta": META}


def judged(lake: Lake, registry: Registry, dataset: str, file: Path) -> dict[str, set[int]]:
    """Rows of the file that each rule flags, from the evidence that the lake keeps."""
    deliver(lake.store, [file], dataset, registry.contract(dataset).provider, Manifest())
    (landed,) = land(lake, registry)
    load(lake, registry, landed.delivery.id)
    conform(lake, registry, landed.delivery.id)
    evidence = lake.delta.rows(lake.path(Zone.EVIDENCE, dataset), landed.delivery)
    found: dict[str, set[int]] = {}
    if evidence is not None:
        for row, name in zip(evidence["_row"].to_pylist(), evidence["rule"].to_pylist(), strict=True):
            found.setdefault(name, set()).add(row)
    return found


def _say(measures: Measures, feed: Feed, rows: pd.DataFrame, found: Mapping[str, set[int]]) -> None:
    """A line for each kind of rule, and for kinds together; of a feed without labels, false alarms alone."""
    for name, kinds in SETS.items():
        used = [rule_id for rule_id in _ids(feed) if rule_id.split("_")[0] in kinds]
        if not used:
            continue
        flagged = set().union(*(found.get(rule_id, set()) for rule_id in used))
        scored = _scored(rows, flagged)
        if feed.label:
            measures.say(f"{feed.name}_{name}_event_recall", scored.recall(), "–", scored.note())
            if name in ALARMED:
                alarmed = _alarmed(rows, flagged)
                measures.say(f"{feed.name}_{name}_alarm_recall", alarmed.recall(), "–", alarmed.note())
        else:
            note = f"{scored.flagged:,} of {scored.rows:,} clean rows flagged, {scored.alarms} alarms"
            measures.say(f"{feed.name}_{name}_false_per_1000", 1000 * scored.flagged / scored.rows, "< 1", note)


def _ids(feed: Feed) -> list[str]:
    per_field = [f"{kind}_{name}" for kind in PER_FIELD for name in feed.fields]
    return ["gap_read_at", *(f"fall_{name}" for name in feed.counters), *per_field]


def _alarmed(rows: pd.DataFrame, flagged: set[int]) -> AlarmScore:
    """The alarms of the last three quarters, as readings that come one by one open and clear them."""
    test = rows[int(len(rows) * TRAIN) :].drop_duplicates("at")
    times = [moment.to_pydatetime() for moment in test["at"]]
    opened = alarms(test["row"].isin(flagged).to_numpy(bool), times, POLICY)
    return alarm_score(test["label"].to_numpy(bool), opened, times, TOLERANCE)


def _scored(rows: pd.DataFrame, flagged: set[int]) -> Score:
    """The score of the last three quarters."""
    test = rows[int(len(rows) * TRAIN) :]
    return score(test["label"].to_numpy(bool), test["row"].isin(flagged).to_numpy(bool), TOLERANCE)
