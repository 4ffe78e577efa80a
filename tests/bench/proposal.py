"""What `lake contracts new` proposes for every real file: that it loads and takes the file, and how near it comes to contracts by hand.

A point for the type, the words for a missing value, the units and the zone of each field that a contract by hand has, and for
its key. What one file cannot show is no fault: a key column with one value in it, or from the file's name; an identifier may be
text or an integer; a zone is right where times have an offset, or the proposal asks for it; a key is right where the proposal
names its columns as nearly unique and asks.
"""

import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import combinations
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow.compute as pc

from jobs.contracts import Contract, Elements, Registry, load
from jobs.contracts.model import Field
from jobs.errors import LakeError
from jobs.ingest.cell_errors import ERROR_WORDS
from jobs.ingest.land import Manifest, deliver
from jobs.ingest.proposal import propose
from jobs.ingest.reading import LocalFile, read
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land
from jobs.pipeline.ingestion import load as load_delivery
from jobs.settings import PROJECT
from tests.bench.common import Measures

DATA = PROJECT.parent / "shared" / "data" / "real"
BY_HAND = PROJECT / "tests" / "real"
FOLDERS = ("gas/UCam_Building_b40/gas", "gas/UCam_Building_b57/gas", "gov_cn/ncov/Data", "gov_cn/ncov/ReportData")
NO_TABLE = ("SOURCES.md", "water/L-TOWN.inp")
TRUTH: Mapping[str, str] = {
    "water/Drinking_Water_Quality_Distribution_Monitoring_Data.csv": "tap_quality",
    "water/Water_Consumption_And_Cost__2013_-_2020_.csv": "water_bills",
    "water/geccoIC2018Train.csv": "water_telemetry",
    "water/Water_Quality_complaints_(correction).csv": "water_complaints",
    "water/2015_water_complaints.xlsx": "water_complaints",
    "heat/xai4heat_scada_L4.csv": "heat_substation_scada",
    "heat/xai4heat_scada_L8.csv": "heat_substation_scada",
    "heat/Campus_Energy_Centre_5.csv": "heat_supply_temp",
    "heat/Campus_Energy_Centre_6.csv": "heat_flow",
    "gas/UCam_Building_b40/gas": "building_gas",
    "gas/UCam_Building_b57/gas": "building_gas",
    "gov_cn/W020250627301230138068.xls": "universities",
    "gov_cn/GB2260/mca/201904.tsv": "division_codes",
    "gov_cn/areas.csv": "division_areas",
    "gov_cn/airnow.json": "air_stations",
    "environment/PRSA_Data_Aotizhongxin_20130301-20170228.csv": "air_hourly",
    "supervision/sf_businesses.csv": "businesses",
    "supervision/sf_inspections.csv": "inspections",
    "supervision/sf_violations.csv": "violations",
    "supervision/incident_gas_distribution_jan2010_present.txt": "gas_incidents",
}
"""Real file or folder → dataset of the contract by hand."""


@dataclass
class Score:
    """Points reached and possible, by kind; and what was missed."""

    points: dict[str, list[bool]] = field(default_factory=dict)
    missed: list[str] = field(default_factory=list)

    def say(self, kind: str, is_right: bool, what: str) -> None:
        self.points.setdefault(kind, []).append(is_right)
        if not is_right:
            self.missed.append(f"{kind}: {what}")

    def share(self) -> float:
        points = [point for of_kind in self.points.values() for point in of_kind]
        return sum(points) / len(points)

    def words(self) -> str:
        return ", ".join(f"{kind} {sum(points)}/{len(points)}" for kind, points in sorted(self.points.items()))


def units() -> Iterator[str]:
    """Every real file of tables, and folders whose files are one dataset."""
    for path in sorted(DATA.rglob("*")):
        name = path.relative_to(DATA).as_posix()
        if name in FOLDERS or (path.is_file() and not name.startswith(FOLDERS) and name not in NO_TABLE):
            yield name


def drafted(name: str, folder: Path, elements: Elements) -> Registry:
    """The proposal for a file, loaded as any contract."""
    schemas = folder / "schemas"
    target = schemas / "sources" / "somebody" / f"{dataset_of(name)}.yaml"
    target.parent.mkdir(parents=True)
    shutil.copytree(PROJECT / "schemas" / "elements", schemas / "elements")
    path = DATA / name
    target.write_text(propose(LocalFile(path.name, path), target.stem, "somebody", folder, elements), "utf-8")
    return load(schemas, folder / "expectations")


def dataset_of(name: str) -> str:
    """An id from the path of a real file."""
    return "d_" + "".join(letter if letter.isalnum() and letter.isascii() else "_" for letter in name.lower())


def compare(name: str, draft: Contract, text: str, score: Score) -> None:
    """Points of one proposal, field by field of the contract by hand that the file has."""
    hand = load(BY_HAND / "contracts", BY_HAND / "expectations").contract(TRUTH[name])
    drafts = {place: one for one in draft.fields for place in _places(one)}
    for wanted in hand.fields:
        found = next((drafts[h] for h in _places(wanted) if h in drafts), None)
        if found is not None and not wanted.is_computed():
            _compare_field(f"{name} {wanted.name}", found, wanted, score)
            if wanted.type == "timestamp":
                _compare_zone(f"{name} {wanted.name}", found, draft, text, score)
            _compare_missing(f"{name} {wanted.name}", (found, draft), (wanted, hand), score)
    sent, constant = _sent_columns(draft), _constant(draft, DATA / name)
    wanted_key, key = _key(hand) & sent, _key(draft)
    asks = not key and any(f"{'+'.join(n)} 近似唯一" in text for n in _parts(draft, wanted_key))
    is_right = wanted_key - constant <= key <= wanted_key or asks
    score.say("key", is_right, f"{name}: {sorted(key)}, not {sorted(wanted_key)}")


def _compare_field(place: str, found: Field, wanted: Field, score: Score) -> None:
    is_identifier = bool(wanted.key_position or wanted.reference or wanted.name.endswith(("_id", "_number")))
    is_right = found.type == wanted.type or (is_identifier and {found.type, wanted.type} == {"string", "integer"})
    score.say("type", is_right, f"{place}: {found.type}, not {wanted.type}")
    if wanted.source.units or found.source.units:
        spelled = {unit.replace("°C", "℃") for unit in found.source.units}
        is_right = bool(spelled) and spelled <= {unit.replace("°C", "℃") for unit in wanted.source.units}
        score.say("unit", is_right, f"{place}: {list(found.source.units)}, not {list(wanted.source.units)}")


def _compare_zone(place: str, found: Field, draft: Contract, text: str, score: Score) -> None:
    has_offset = any("X" in form or form.startswith("epoch") for form in found.source.formats)
    asks = f"{found.name}" in text and f"按 {draft.layout.timezone} 读取" in text
    score.say("zone", has_offset or asks, f"{place}: {draft.layout.timezone} is not asked about")


def _compare_missing(place: str, found: tuple[Field, Contract], wanted: tuple[Field, Contract], score: Score) -> None:
    """Words of error cells are no words for missing values: their rows are held back with that reason."""
    of_field = {*wanted[0].source.missing} - ERROR_WORDS
    words = {*of_field, *wanted[1].layout.missing}
    given = {*found[0].source.missing, *found[1].layout.missing}
    if of_field or found[0].source.missing:
        score.say(
            "missing",
            {*found[0].source.missing} <= words and of_field <= given,
            f"{place}: {sorted(given)}, not {sorted(words)}",
        )


def _places(declared: Field) -> tuple[str, ...]:
    position = declared.source.position
    return declared.headers() if position is None else (*declared.headers(), f"#{position}")


def _sent_columns(draft: Contract) -> frozenset[str]:
    return frozenset(place for one in draft.fields for place in _places(one))


def _constant(draft: Contract, path: Path) -> frozenset[str]:
    """Columns with one value in the whole file."""
    if path.is_dir() or draft.layout.format != "csv":
        return frozenset()
    with TemporaryDirectory() as folder:
        batches = list(read([LocalFile(path.name, path)], draft, Path(folder)).batches)
    values = {
        one.name: {value for batch in batches for value in pc.unique(batch[one.name]).to_pylist()}
        for one in draft.fields
    }
    return frozenset(place for one in draft.fields if len(values[one.name]) == 1 for place in _places(one))


def _parts(draft: Contract, headers: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """Names of fields under some of the headers, one or two of them in the file's order."""
    names = [one.name for one in draft.fields if {*_places(one)} & headers]
    for size in (1, 2):
        yield from combinations(names, size)


def _key(contract: Contract) -> frozenset[str]:
    """First headers of the key's fields; of a composed one, those of its parts."""
    sent: set[str] = set()
    for name in contract.key():
        declared = contract.field(name)
        parts = [contract.field(part) for part in declared.source.parts()] or [declared]
        sent.update(_places(part)[0] for part in parts)
    return frozenset(sent)


def measure(lake: Lake, folder: Path, measures: Measures) -> None:
    """Every proposal loads and takes its file; held rows and points are printed."""
    elements, score = Elements.load(PROJECT / "schemas" / "elements"), Score()
    lake.store.create()
    failures, held, rows, tried = [], [], 0, 0
    for name in units():
        tried += 1
        own = folder / dataset_of(name)
        try:
            registry = drafted(name, own, elements)
            contract = registry.contract(dataset_of(name))
            if name in TRUTH:
                compare(name, contract, contract.file.read_text("utf-8"), score)
            good, bad = _taken(lake, registry, contract, DATA / name)
        except LakeError as error:
            failures.append(f"{name}: {error}")
            continue
        rows += good + bad
        held += [f"{name}: {bad} rows"] if bad else []
    for line in (*failures, *held, *score.missed):
        print(f"  {line}", file=sys.stderr, flush=True)
    measures.say(
        "proposal_files_taken", (tried - len(failures)) / tried, "1.00", f"{tried} files and folders, {rows:,} rows"
    )
    measures.say("proposal_score", score.share(), "≥ 0.95", score.words())


def _taken(lake: Lake, registry: Registry, contract: Contract, path: Path) -> tuple[int, int]:
    """Good rows and rows held back."""
    files = [path] if path.is_file() else sorted(path.iterdir())
    deliver(lake.store, files, contract.id, contract.provider, Manifest())
    (new,) = [landed.delivery.id for landed in land(lake, registry) if landed.is_new]
    load_delivery(lake, registry, new)
    conform(lake, registry, new)
    verdict = Results(lake.delta, lake.settings.s3_bucket).verdict(new)
    if verdict is None:
        raise LakeError(f"{new} has no verdict")
    return verdict.good_rows, verdict.failed_rows
