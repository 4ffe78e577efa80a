"""The labelled feeds sent as a stream: as many flags as in the file, and the alarms that the lake opens.

Readings come in large batches, as after an outage; some events also reading by reading, as a feed comes every day. In a
large batch a rule sees what came later, and an alarm takes the time of the reading that it opens with.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import yaml

from jobs import contracts
from jobs.contracts import Contract, Registry
from jobs.contracts.names import DELIVERY, ROW
from jobs.lake.broker import topic
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.stream_alarms import alarms_of
from jobs.pipeline.stream_batch import StreamWriter
from jobs.pipeline.stream_seal import due, seal, seal_due
from jobs.streams.alarms import Change

RECEIPT = timedelta(seconds=1)
"""From a reading's time until the broker has it."""
BEFORE_ALL = datetime(1970, 1, 1, tzinfo=UTC)
Flags = Mapping[str, set[datetime]]
"""By rule, the times of the readings that it flags."""
Opened = tuple[str, datetime, datetime | None]
"""An alarm: its rule, when it opened, and when it cleared."""


@dataclass(frozen=True)
class Part:
    """Which part of a feed is sent, in the feed's local time. `sealed`: the hours whose flags are compared with those of the file."""

    begin: str
    end: str
    sealed: tuple[tuple[str, str], ...] = ()
    batch: int = 2_000
    live: tuple[tuple[str, str], ...] = ()
    """When readings come one in a batch."""


@dataclass(frozen=True)
class Sending:
    """A stream's contract and its readings in the order of time: as sent, and their times in UTC."""

    registry: Registry
    contract: Contract
    rows: pd.DataFrame
    times: Sequence[datetime]

    def moment(self, local: str) -> datetime:
        """A local time of the feed, in UTC."""
        return pd.Timestamp(local, tz=self.contract.layout.timezone).tz_convert(UTC).to_pydatetime()


def stream_of(contract: Mapping[str, Any], name: str, stream: Mapping[str, Any]) -> dict[str, Any]:
    """The contract of a file as one of a stream, with the same fields, and with the field that names the device, where none does."""
    (table,) = contract["schema"]
    fields = [dict(field) for field in table["properties"]]
    device, at = stream["device"], stream["event_time"]
    if all(field["name"] != device for field in fields):
        fields.append({"name": device, "businessName": "设备", "logicalType": "string", "required": True})
    for field in fields:
        if field["name"] in (device, at):
            field |= {"primaryKey": True, "primaryKeyPosition": 1 + (field["name"] == at)}
    others = [item for item in contract["customProperties"] if item["property"] != "write"]
    write = {"property": "write", "value": {"mode": "append", "duplicates": "drop"}}
    servers = [{"server": "telemetry", "type": "kafka", "host": "kafka:9092"}]
    schema = [{**table, "name": name, "properties": fields}]
    properties = [*others, write, {"property": "stream", "value": dict(stream)}]
    return {**contract, "id": name, "servers": servers, "schema": schema, "customProperties": properties}


def alarming(suite: Mapping[str, Any], name: str, kinds: Sequence[str], alone: bool = False) -> dict[str, Any]:
    """The suite with an alarm on each rule of these kinds; `alone`: without the other rules."""
    rules = []
    for rule in suite["expectations"]:
        if rule["id"].split("_")[0] in kinds:
            rules.append({**rule, "meta": {**rule["meta"], "alarm": {}}})
        elif not alone:
            rules.append(rule)
    return {"name": name, "expectations": rules}


def registry_of(folder: Path, contract: Mapping[str, Any], suite: Mapping[str, Any]) -> Registry:
    """The contract and its suite, written and loaded."""
    for kind, document in (("schemas", contract), ("expectations", suite)):
        path = folder / kind / "sources" / "feeds" / f"{contract['id']}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.safe_dump(document, allow_unicode=True), "utf-8")
    return contracts.load(folder / "schemas", folder / "expectations")


def sending(registry: Registry, name: str, file: Path, part: Part) -> Sending:
    """The file's rows of the part, equal copies left out, as messages name their fields: as the file does."""
    contract = registry.contract(name)
    stream = contract.stream
    assert stream is not None
    rows = pd.read_csv(file, dtype=str, keep_default_na=False).drop_duplicates()
    (header,) = contract.field(stream.event_time).headers()
    at = pd.to_datetime(rows[header]).dt.tz_localize(contract.layout.timezone).dt.tz_convert(UTC)
    if not set(contract.field(stream.device).headers()) & set(rows):
        rows[stream.device] = name
    sent = Sending(registry, contract, rows, ())
    place = at[(at >= sent.moment(part.begin)) & (at < sent.moment(part.end))].sort_values(kind="stable").index
    return Sending(registry, contract, rows.loc[place], [moment.to_pydatetime() for moment in at[place]])


def send(lake: Lake, sent: Sending, part: Part) -> None:
    """Write all batches; as time goes on, seal the hours that are due and to be compared."""
    writer, name = StreamWriter(lake, sent.contract.id), sent.contract.id
    sealed = [(sent.moment(begin), sent.moment(end)) for begin, end in part.sealed]
    for number, (begin, end) in enumerate(_batches(sent, part)):
        table = messages(topic(lake.settings, name), sent, begin, end)
        (outcome,) = writer.write(sent.registry, table, number).values()
        if outcome.error:
            raise RuntimeError(f"{name}: batch {number}: {outcome.error}")
        _seal(lake, sent, sent.times[end - 1] + RECEIPT, sealed)


def _batches(sent: Sending, part: Part) -> Iterator[tuple[int, int]]:
    """First reading of each batch, and the one after its last."""
    live = [(sent.moment(begin), sent.moment(end)) for begin, end in part.live]
    one_by_one = [any(begin <= at < end for begin, end in live) for at in sent.times]
    begin = 0
    for place in range(1, len(sent.times) + 1):
        is_last = place == len(sent.times)
        if is_last or one_by_one[place] or one_by_one[place - 1] or place - begin >= part.batch:
            yield begin, place
            begin = place


def messages(name: str, sent: Sending, begin: int, end: int) -> pa.Table:
    """Readings as Spark's Kafka source gives them; a cell that is empty in the file is left out."""
    records = sent.rows.iloc[begin:end].to_dict("records")
    values = [json.dumps({k: v for k, v in row.items() if v}, ensure_ascii=False).encode() for row in records]
    columns = {
        "topic": [name] * len(values),
        "partition": pa.array([0] * len(values), pa.int32()),
        "offset": pa.array(range(begin, end), pa.int64()),
        "timestamp": pa.array([at + RECEIPT for at in sent.times[begin:end]], pa.timestamp("us", "UTC")),
        "value": pa.array(values, pa.binary()),
        "headers": pa.array([[] for _ in values], pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))),
    }
    return pa.table(columns)


def _seal(lake: Lake, sent: Sending, now: datetime, spans: Sequence[tuple[datetime, datetime]]) -> None:
    """The hours of these spans that are due; the others stay open: each takes seconds."""
    for hour in due(lake.streams.hours(sent.contract.id, is_open=True), sent.registry, now):
        if any(begin <= hour.hour < end for begin, end in spans):
            seal(lake, sent.contract, hour, now)
    seal_due(lake, sent.registry, BEFORE_ALL)


def flags(lake: Lake, contract: Contract) -> tuple[Flags, list[datetime]]:
    """What sealed hours flag, by rule, and the times of all their readings."""
    assert contract.stream is not None
    at = contract.stream.event_time
    hours = [hour.delivery for hour in lake.streams.hours(contract.id, is_open=False)]
    silver = _rows(lake, Zone.SILVER, contract.id, [DELIVERY, ROW, at])
    silver = silver[silver[DELIVERY].isin(hours)]
    evidence = _rows(lake, Zone.EVIDENCE, contract.id, [DELIVERY, ROW, "rule"])
    both = evidence.merge(silver, on=[DELIVERY, ROW])
    found: dict[str, set[datetime]] = {}
    for rule, moment in zip(both["rule"], both[at], strict=True):
        found.setdefault(rule, set()).add(moment.to_pydatetime().astimezone(UTC))
    return found, [moment.to_pydatetime().astimezone(UTC) for moment in silver[at]]


def _rows(lake: Lake, zone: Zone, dataset: str, columns: Sequence[str]) -> pd.DataFrame:
    table = lake.delta.open(lake.path(zone, dataset))
    return table.to_pyarrow_table(columns=list(columns)).to_pandas() if table else pd.DataFrame(columns=list(columns))


def differing(one: Flags, other: Flags, among: Sequence[datetime]) -> Counter[str]:
    """By rule, how many of these readings only one of the two flags."""
    times = set(among)
    rules = {*one, *other}
    return +Counter({rule: len((one.get(rule, set()) ^ other.get(rule, set())) & times) for rule in rules})


def opened(lake: Lake, contract: Contract) -> list[Opened]:
    """The alarms of the dataset."""
    alarms = alarms_of(lake)
    ends = {event.alarm.id: event.at for event in alarms.events() if event.change is Change.CLEARED}
    return [(alarm.rule, alarm.opened_at, ends.get(alarm.id)) for alarm in alarms.all(contract.id, with_cleared=True)]
