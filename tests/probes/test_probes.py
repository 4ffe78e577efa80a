"""Small files that behave as people's files do, taken the whole way: what may be lost or changed silently, and is not.

Each folder is one situation; all data is invented.
"""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest

from jobs.contracts import Registry
from jobs.ingest.land import Manifest, deliver
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land
from tests.contract_texts import contract
from tests.probes.probe import HERE, Go, Probe, check, rows_of


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


LINES = ('{\\"no\\":\\"B6\\",}', "[1,2,3", '{\\"no\\" \\"B8\\"}', '{\\"no\\":\\"B9\\",\\"value\\":}')
PROBES = (
    Probe(
        "41-date-column/levels.csv",
        (6, 5, 1, 0),
        ("station:string", "date:date", "level:number"),
        columns=("station", "level"),
        silver=(("S1", 3.5), ("S1", 3.5), ("S1", 3.5), ("S2", 3.5), ("S2", 3.5)),
        held=('{"station":"S2","date":"2026-01-02","level":"bad"}',),
    ),
    Probe(
        "41-date-column/readings.csv",
        (5, 3, 2, 0),
        ("id:string", "date:date", "value:number", "file:string", "row:integer"),
        columns=("id", "value", "file", "row"),
        silver=(("A1", 1, "x", 1), ("A2", 2, "y", 2), ("A3", 3, "z", 3)),
        held=('"date":"bad"', '"value":"x"'),
    ),
    Probe(
        "13-jsonl-cut/半坏.jsonl",
        (10, 4, 6, 0),
        ("no:string", "at:timestamp", "value:number"),
        "{format: jsonl}",
        held=LINES,
        findings=("rows_malformed",),
    ),
    Probe(
        "13-jsonl-cut/半坏.jsonl",
        (10, 0, 6, 0),
        ("no:string", "at:timestamp", "value:number"),
        "{format: jsonl}",
        limit=50,
        id="半坏 beyond its limit",
    ),
    Probe(
        "13-jsonl-cut/事件.jsonl",
        (6, 4, 2, 0),
        ("no:string", "at:timestamp", "value:number"),
        "{format: jsonl}",
        held=('"_line":"null"', '2026-01-"'),
    ),
    Probe(
        "16-parquet/int96.parquet",
        (5, 5, 0, 0),
        columns=("no", "at_utc", "valid_to_sent"),
        silver=(
            ("P0", at("2026-01-05T08:00:00"), at("9999-12-31T00:00:00")),
            ("P1", at("2026-01-05T08:00:01"), at("2027-01-01T00:00:00")),
            ("P2", at("2026-01-05T08:00:02"), None),
            ("P3", at("2026-01-05T08:00:03"), at("1600-01-01T00:00:00")),
            ("P4", at("2026-01-05T08:00:04"), at("2026-12-31T00:00:00")),
        ),
    ),
    Probe(
        "16-parquet/int96.parquet",
        (5, 5, 0, 0),
        ("no:string", "at_utc:timestamp{formats: [yyyy-MM-dd HH:mm:ss]}", "valid_to:timestamp", "amount:number"),
        "{format: parquet}",
        columns=("at_utc",),
        silver=tuple((at(f"2026-01-05T08:00:0{i}"),) for i in range(5)),
        id="int96 where formats know no offset",
    ),
    Probe("16-parquet/读数.parquet", (5, 4, 1, 0), held=('"value":"inf"',)),
    Probe(
        "17-dup-column/case.csv",
        (2, 2, 0, 0),
        columns=("code", "code_2", "value"),
        silver=(("A", "a1", 1), ("B", "b1", 2)),
    ),
    Probe(
        "02-formula-no-cache/抄表.xlsx",
        (6, 0, 6, 0),
        (
            "no:string{header: 表号}",
            "last:integer{header: 上期读数}",
            "now:integer{header: 本期读数}",
            "used:number{header: 用量}",
        ),
        "{format: excel}",
        held=("=C2-B2", "=C7-B7"),
        findings=("formulas_without_values",),
    ),
    Probe(
        "39-e-codes/物料.csv",
        (7, 7, 0, 0),
        columns=("field_1", "field_3"),
        silver=(
            ("001E015", 4),
            ("101E010", 1),
            ("101E400", 7),
            ("120E04", 6),
            ("12E5", 5),
            ("888E010", 2),
            ("888E012", 3),
        ),
    ),
    Probe(
        "22-nan/数值.csv",
        (20, 9, 11, 0),
        ("no:string{header: 编号}", "value:number{header: 数值}"),
        columns=("no", "value"),
        silver=(
            *(("Q01", 1.5), ("Q07", 0.0), ("Q08", 0.0), ("Q09", 1000.0), ("Q13", 12.5)),
            *(("Q16", 100.0), ("Q17", 0.5), ("Q18", 5.0), ("Q19", 7.0)),
        ),
        held=("NaN", "nan", "Infinity", "-inf", "1e400", "0x10", "1_000", "1 234", "1.5d", "1.5f", "--3"),
    ),
    Probe(
        "11-decimal-comma/estacion.csv",
        (4, 4, 0, 0),
        columns=("field_1", "field_3", "field_4"),
        silver=tuple(
            (station, flow, Decimal(money))
            for station, flow, money in (
                *(("A1", 12.5, "1234.56"), ("A2", 7.25, "980.00")),
                *(("A3", 0.5, "1250.00"), ("A4", 100.0, "12345678.90")),
            )
        ),
    ),
    Probe(
        "11-decimal-comma/estacion.csv",
        (4, 1, 3, 0),
        ("station:string{header: 站点}", "flow:number{header: 流量, thousands: ','}"),
        "{delimiter: ;}",
        columns=("station", "flow"),
        silver=(("A4", 100.0),),
        held=('"flow":"12,5"', '"flow":"7,25"', '"flow":"0,5"'),
        id="decimal commas where thousands are declared",
    ),
)


@pytest.mark.parametrize("probe", PROBES, ids=[p.id or p.file for p in PROBES])
def test_a_file_comes_out_exactly_or_is_held_back_and_told(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go, tmp_path: Path, probe: Probe
):
    check(lake, write_contracts, go, tmp_path, probe)


KEYED = contract(
    "probe",
    "      - {name: no, businessName: 编号, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}\n"
    "      - {name: state, businessName: 状态, logicalType: string}\n",
)


def states(lake: Lake) -> dict[str, str]:
    return dict(rows_of(lake, Zone.SILVER, "no", "state"))


@pytest.mark.parametrize("replaces", [False, True])
@pytest.mark.parametrize("names", [("周一", "周二", "周三"), ("每日", "每日", "每日"), ("周一", "周二", "周一")])
def test_bytes_that_come_again_after_others_hold_again(
    lake: Lake,
    write_contracts: Callable[..., Registry],
    go: Go,
    tmp_path: Path,
    names: tuple[str, ...],
    replaces: bool,
):
    registry = write_contracts({"schemas/sources/heat/probe.yaml": KEYED})
    ids: list[str] = []
    for name, day in zip(names, ("周一", "周二", "周三"), strict=True):
        file = tmp_path / f"{name}.csv"
        file.write_bytes((HERE / "38-aba" / f"{day}.csv").read_bytes())
        ids.append(go(registry, file, supersedes=ids[-1] if ids and replaces else None).delivery)
    assert states(lake) == dict.fromkeys(("S1", "S2", "S3", "S4", "S5", "S6"), "正常")
    assert ids[2] == f"{ids[0]}-2" and len(lake.ledger.deliveries("probe")) == 3
    deliver(lake.store, [HERE / "38-aba" / "周三.csv"], "probe", "heat", Manifest())
    assert [(one.delivery.id, one.is_new) for one in land(lake, registry)] in ([(ids[2], False)], [])


def test_what_waits_together_is_taken_in_the_order_in_which_it_was_put(
    lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path
):
    registry = write_contracts({"schemas/sources/heat/probe.yaml": KEYED})
    for name, day in (("c", "周一"), ("b", "周二"), ("a", "周三")):
        (tmp_path / f"{name}.csv").write_bytes((HERE / "38-aba" / f"{day}.csv").read_bytes())
        deliver(lake.store, [tmp_path / f"{name}.csv"], "probe", "heat", Manifest())
    landed = land(lake, registry)
    assert [one.is_new for one in landed] == [True, True, True]
    for one in landed:
        conform(lake, registry, one.delivery.id)
    assert states(lake)["S1"] == "正常"


def test_files_of_one_name_in_two_folders_of_a_delivery_are_both_read(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go
):
    registry = write_contracts({"schemas/sources/heat/probe.yaml": KEYED})
    for folder in ("东", "西"):
        lake.store.put_bytes(f"landing/heat/probe/x/{folder}/a.csv", f"编号,状态\n{folder},正常\n".encode())
    lake.store.put_bytes("landing/heat/probe/x/_manifest.json", b"{}")
    (landed,) = land(lake, registry)
    conform(lake, registry, landed.delivery.id)
    assert states(lake) == {"东": "正常", "西": "正常"}
    assert sorted(rows_of(lake, Zone.SILVER, "_file")) == [("东/a.csv",), ("西/a.csv",)]


def test_a_correction_with_fewer_rows_uncovers_what_still_stands(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go
):
    registry = write_contracts({"schemas/sources/heat/probe.yaml": KEYED})
    go(registry, HERE / "29-fewer-rows" / "b1.csv")
    second = go(registry, HERE / "29-fewer-rows" / "b2.csv")
    assert (states(lake)["L2"], states(lake)["L3"]) == ("注销", "注销")
    go(registry, HERE / "29-fewer-rows" / "b3.csv", supersedes=second.delivery)
    assert states(lake) == {**dict.fromkeys(("L1", "L3", "L4", "L5", "L6"), "有效"), "L2": "注销"}


def test_a_register_replaced_by_a_shorter_one_loses_the_rows_that_only_it_had(
    lake: Lake, write_contracts: Callable[..., Registry], go: Go
):
    registry = write_contracts({"schemas/sources/heat/probe.yaml": KEYED})
    first = go(registry, HERE / "29-fewer-rows" / "一.csv")
    go(registry, HERE / "29-fewer-rows" / "二.csv", supersedes=first.delivery)
    assert set(states(lake)) == {"L1", "L2", "L4"}
