"""A lake on local files for the tests of reports: no Spark, no S3; tables are real Delta tables."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

from jobs.contracts import Contract, Field, Registry
from jobs.contracts.names import RECEIVED
from jobs.contracts.structure import structural_rules
from jobs.lake.delta_tables import DeltaTables
from jobs.lake.open_tables import OpenTables
from jobs.lake.results import Results
from jobs.lake.store import StoredObject
from jobs.lake.system_tables import system_table
from jobs.lake.zones import TablePath, Zone
from jobs.model.delivery import Delivery, Finding, State
from jobs.model.rule_result import RuleRow
from jobs.model.verdict import RepairCount, Verdict
from jobs.settings import Settings

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
DATASET = "enterprise_registration"
CANARIES = ("371502200003070014", "37158119991231002X", "13806351234", "372524198505120041", "王小明")


class LocalArrow(DeltaTables):
    """Delta tables below a folder; counts how often each was opened."""

    def __init__(self, root: Path) -> None:
        self.root, self.opened, self._options = root, [], {}
        self._tables = OpenTables({})

    def url(self, path: TablePath) -> str:
        return str(self.root / path.key)

    def open(self, path: TablePath, version: int | None = None) -> DeltaTable | None:
        self.opened.append(str(path))
        return super().open(path, version)

    def put(self, path: TablePath, table: pa.Table, partition_by: Sequence[str] = ()) -> None:
        """Append rows of many deliveries at once."""
        write_deltalake(self.url(path), table, mode="append", partition_by=list(partition_by) or None)


class MemoryStore:
    """Objects in a dictionary."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}

    def list(self, prefix: str) -> Iterator[StoredObject]:
        return (StoredObject(k, len(v), "") for k, v in sorted(self.objects.items()) if k.startswith(prefix))

    def page(self, prefix: str, after: str = "") -> tuple[Sequence[StoredObject], bool]:
        return [o for o in self.list(prefix) if o.key > after], True

    def put_bytes(self, key: str, data: bytes, content_type: str = "") -> None:
        self.objects[key] = data

    def put_new(self, key: str, data: bytes, content_type: str = "") -> bool:
        return self.objects.setdefault(key, data) is data

    def put_file(self, file: Path, key: str) -> None:
        self.objects[key] = file.read_bytes()

    def get_bytes(self, key: str) -> bytes:
        return self.objects[key]

    def delete(self, key: str) -> None:
        del self.objects[key]

    def head(self, key: str) -> StoredObject | None:
        return StoredObject(key, len(self.objects[key]), "") if key in self.objects else None


class ListedLedger:
    """Deliveries in a list."""

    def __init__(self) -> None:
        self.entries: list[Delivery] = []

    def get(self, delivery_id: str) -> Delivery:
        return next(d for d in self.entries if d.id == delivery_id)

    def received_date(self, delivery_id: str) -> date | None:
        return next((d.received_date() for d in self.entries if d.id == delivery_id), None)

    def deliveries(self, dataset: str | None = None, **_: Any) -> tuple[Delivery, ...]:
        return tuple(d for d in self.entries if dataset in (None, d.dataset))

    def received(self, since: datetime, until: datetime, dataset: str | None = None) -> tuple[Delivery, ...]:
        return tuple(d for d in self.deliveries(dataset) if since <= d.received_at < until)

    def last_before(self, dataset: str, moment: datetime) -> Delivery | None:
        mine = [d for d in self.deliveries(dataset) if d.received_at < moment and d.is_regular()]
        return mine[-1] if mine else None

    def repeats(self, delivery_id: str) -> int:
        return 0


class LocalLake:
    """The parts of a lake that reports need."""

    def __init__(self, root: Path) -> None:
        self.settings = Settings(_env_file=None, home=root / "home")  # type: ignore[call-arg]
        self.delta, self.store, self.ledger = LocalArrow(root / "tables"), MemoryStore(), ListedLedger()

    def path(self, zone: Zone, name: str) -> TablePath:
        return TablePath(zone, name, self.settings.s3_bucket)

    def results(self) -> Results:
        return Results(self.delta, self.settings.s3_bucket)  # type: ignore[arg-type]

    def put_evidence(self, dataset: str, rows: Sequence[dict[str, Any]]) -> None:
        own = system_table(Zone.EVIDENCE)
        dated = [{**row, RECEIVED: self.ledger.received_date(row["_delivery"]) or NOW.date()} for row in rows]
        table = pa.Table.from_pylist(dated, schema=own.schema)
        self.delta.put(self.path(Zone.EVIDENCE, dataset), table, own.partition_by)

    def outputs(self) -> dict[str, bytes]:
        return self.store.objects


FIELDS = (
    Field("uscc", "统一社会信用代码", "string", required=True, key_position=1, pattern="^[0-9A-Z]{18}$"),
    Field("legal_rep_name", "法定代表人", "string", classification="L3", required=True),
    Field("legal_rep_id_no", "法定代表人证件号码", "string", classification="L3", pattern="^[0-9]{17}[0-9X]$"),
    Field("contact_phone", "联系电话", "string", classification="L4", pattern="^1[3-9][0-9]{9}$"),
    Field("capital_cny", "注册资本", "number", unit="元", minimum=0),
    Field("remark", "备注", "string", classification="L2", max_length=20),
)


def registry() -> Registry:
    """Two datasets of two departments; the first holds persons."""
    sla = {"frequency": "1d", "latency": "12h", "rectification": "10wd"}
    datasets = (
        ("enterprise_registration", "市场主体登记信息", "market_regulation", "聊城市市场监督管理局", FIELDS),
        ("air_quality_hourly", "环境空气质量小时值", "ecology_environment", "聊城市生态环境局", FIELDS[4:]),
    )
    contracts = {
        name: Contract(
            name, title, "1.0.0", "source", provider, department, "测试", fields, Path(f"{name}.yaml"), sla=sla
        )
        for name, title, provider, department, fields in datasets
    }
    return Registry(contracts, {name: structural_rules(contract, {}) for name, contract in contracts.items()})


def delivery(seq: int, contract: Contract, state: State, **changes: Any) -> Delivery:
    sha = f"{seq:064x}"[::-1]
    first = Delivery(
        id=f"{contract.id}-{sha[:12]}",
        seq=seq,
        dataset=contract.id,
        provider=contract.provider,
        state=state,
        sha256=sha,
        size_bytes=52_480_000 + seq,
        objects=(f"received/{contract.provider}/{contract.id}/x/企业登记_2026112{seq % 10}.xlsx",),
        received_at=datetime(2026, 11, 10, 1, 30, tzinfo=UTC) + timedelta(days=seq),
        counted_rows=1000,
    )
    return replace(first, **changes)


def verdict(of: Delivery, **changes: Any) -> Verdict:
    first = Verdict(
        delivery=of.id,
        seq=of.seq,
        dataset=of.dataset,
        provider=of.provider,
        state=of.state,
        rows=1000,
        good_rows=1000,
        failed_rows=0,
        warned_rows=0,
        copies=0,
        repairs=(),
        suite_hash="ab" * 32,
        contract_version="1.0.0",
        silver_version=of.seq,
        judged_at=of.received_at + timedelta(minutes=2),
    )
    return replace(first, **changes)


def rule_rows(of: Verdict, cat: Registry, failed: dict[str, int]) -> list[RuleRow]:
    return [
        RuleRow(
            delivery=of.delivery,
            seq=of.seq,
            dataset=of.dataset,
            provider=of.provider,
            rule=rule.id,
            type=rule.type,
            severity=rule.severity,
            dimension=rule.dimension,
            indicator=rule.indicator,
            success=not failed.get(rule.id),
            element_count=of.rows,
            unexpected_count=failed.get(rule.id, 0),
            missing_count=0,
            fields=",".join(rule.fields),
            message=rule.message,
            remedy=rule.remedy,
            basis=rule.basis,
            suite_hash=of.suite_hash,
            silver_version=of.silver_version,
            judged_at=of.judged_at,
            gx=json.dumps({"partial_unexpected_list": list(CANARIES)}),
        )
        for rule in cat.rules[of.dataset]
    ]


def row(of: Delivery, number: int, rule: str, field: str, value: str | None, **changes: Any) -> dict[str, Any]:
    name = of.names()[0]
    key = json.dumps({"uscc": "91371500MA3C00001X"})
    first = {"_delivery": of.id, "_file": name, "_row": number, "key": key, "rule": rule}
    return {**first, "severity": "critical", "field": field, "value": value, **changes}


def full_lake(root: Path) -> tuple[LocalLake, Registry]:
    """Three deliveries of one dataset; the last has problems of every kind, with persons in every place."""
    lake, cat = LocalLake(root), registry()
    contract = cat.contract(DATASET)
    for seq, failed in ((1, 410), (2, 95)):
        before = delivery(seq, contract, State.PARTLY_QUARANTINED)
        lake.ledger.entries.append(before)
        old = verdict(before, failed_rows=failed, good_rows=1000 - failed)
        lake.results().write(old, rule_rows(old, cat, {"uscc_pattern": failed}))
    findings = (
        Finding("encoding_detected", "自动识别编码为 gb18030（可信度 99%）", {"files": ["a.csv"], "confidence": 0.99}),
        Finding(
            "rows_malformed",
            f"3 行列数不对，如 {CANARIES[0]}",
            {"first_rows": [f"{CANARIES[1]}.csv 第 7 行"], "count": 3},
        ),
    )
    names = (f"received/p/d/x/企业登记_{CANARIES[3]}_20261124093000.xlsx",)
    last = delivery(3, contract, State.PARTLY_QUARANTINED, objects=names, findings=findings, declared_rows=1002)
    lake.ledger.entries.append(last)
    repairs = (RepairCount("uscc", "full_width", 1204), RepairCount("contact_phone", "trim", 77))
    new = verdict(last, failed_rows=29, good_rows=971, warned_rows=12, copies=2, repairs=repairs)
    failed = {"row_shape": 1, "legal_rep_id_no_pattern": 25, "uscc_pattern": 3, "contact_phone_pattern": 1}
    lake.results().write(new, rule_rows(new, cat, failed))
    lake.put_evidence(DATASET, list(_evidence(last)))
    return lake, cat


def _evidence(of: Delivery) -> Iterator[dict[str, Any]]:
    personal = json.dumps({"legal_rep_id_no": CANARIES[0]})
    yield row(of, 7, "row_shape", "", None)
    yield row(of, 7, "uscc_pattern", "uscc", CANARIES[4])
    for number in range(60, 35, -1):
        yield row(of, number, "legal_rep_id_no_pattern", "legal_rep_id_no", CANARIES[number % 2], key=personal)
    yield row(of, 90, "uscc_pattern", "uscc", '=HYPERLINK("http://x","点")')
    yield row(of, 91, "uscc_pattern", "uscc", f"<script>alert(1)</script>{CANARIES[3]}")
    yield row(of, 92, "contact_phone_pattern", "contact_phone", CANARIES[2])


def many_results(root: Path, count: int) -> tuple[LocalLake, Registry]:
    """A lake with many verdicts in one file, each with two rules."""
    lake, cat = LocalLake(root), registry()
    sources = cat.sources()
    verdicts, rules = [], []
    for seq in range(1, count + 1):
        contract = sources[seq % len(sources)]
        entry = delivery(seq, contract, State.ACCEPTED, received_at=NOW - timedelta(hours=count - seq))
        lake.ledger.entries.append(entry)
        new = verdict(entry)
        verdicts.append({**asdict(new), "repairs": "[]"})
        rules += [asdict(r) for r in rule_rows(new, cat, {})[:2]]
    for name, rows in (("verdicts", verdicts), ("rules", rules)):
        table = pa.Table.from_pylist(rows, schema=system_table(name).schema)
        lake.delta.put(lake.path(Zone.RESULTS, name), table)
    return lake, cat
