"""Messages are read by the names that files have too; a name that no message has makes the others no worse."""

import gzip
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jobs.contracts import Contract, load
from jobs.contracts.telemetry import SUFFIX, telemetry
from jobs.ingest.columns import MOST_COLUMNS
from jobs.ingest.reading import LocalFile, read
from jobs.pipeline import stream_messages
from jobs.pipeline.message_lines import LONG, file_of, line, lines_of
from jobs.pipeline.stream_hours import datetimes
from jobs.pipeline.stream_messages import bronze_of, messages_of, readable
from tests.contract_texts import stream_contract

FIRST = {"station": "A", "read_at": "2026-03-01T00:00:00Z", "temp_c": 60, "return_c": 40}
BY_HEADER = {"站点": "A", "时间": "2026-03-01T00:00:00Z", "温度": 60, "回温": 40}


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    path = tmp_path / "schemas/sources/heat/station.yaml"
    path.parent.mkdir(parents=True)
    path.write_text(stream_contract("station"), "utf-8")
    return load(tmp_path / "schemas", tmp_path / "expectations").contract("station")


def texts(contract: Contract, *messages: Mapping[str, object] | bytes | None) -> pa.Table:
    sent = [json.dumps(m).encode() if isinstance(m, dict) else m for m in messages]
    return bronze_of(contract, sent)


@pytest.mark.parametrize("message", [FIRST, BY_HEADER], ids=["fields", "headers"])
def test_messages_name_fields_or_headers(contract: Contract, message: Mapping[str, object]) -> None:
    rows = texts(contract, message, b"", message)
    assert rows.select(list(FIRST)).to_pylist() == [{k: str(v) for k, v in FIRST.items()}] * 2
    assert rows["_row"].to_pylist() == [1, 3]


def test_a_batch_mixes_names_of_fields_and_headers(contract: Contract) -> None:
    contract = replace(contract, layout=contract.layout.model_copy(update={"extra_columns": "evolve"}))
    both = {"station": "B", "站点": "an extra column, as alone", "温度": 61}
    rows = texts(contract, FIRST, BY_HEADER, both, {"STATION": "C"})
    alone = pa.concat_tables(
        [texts(contract, m) for m in (FIRST, BY_HEADER, both, {"STATION": "C"})], promote_options="default"
    )
    names = [name for name in alone.column_names if name not in ("_file", "_row")]
    assert rows.select(names).to_pylist() == alone.select(names).to_pylist()
    assert rows["station"].to_pylist() == ["A", "A", "B", "C"]
    assert rows["站点"].to_pylist() == [None, None, "an extra column, as alone", None]


def test_many_alike_messages_of_both_kinds(contract: Contract) -> None:
    rows = texts(contract, *[FIRST, BY_HEADER] * 30)
    assert rows.select(list(FIRST)).to_pylist() == [{k: str(v) for k, v in FIRST.items()}] * 60
    assert rows.column_names == texts(contract, FIRST).column_names


def test_messages_of_more_bytes_than_are_held_in_memory_are_read_in_parts(
    contract: Contract, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = [FIRST, b"no json", BY_HEADER, None, b"x" * 500, *[FIRST] * 30]
    together = texts(contract, *sent)
    monkeypatch.setattr(stream_messages, "MOST_TOGETHER", 400)
    parts: list[int] = []
    read_lines = stream_messages._read

    def counted(own: Contract, lines: Sequence[bytes]) -> pa.Table:
        parts.append(sum(map(len, lines)) + len(lines))
        return read_lines(own, lines)

    monkeypatch.setattr(stream_messages, "_read", counted)
    rows = texts(contract, *sent)
    assert rows.drop_columns("_file").equals(together.drop_columns("_file"))
    assert len(parts) > 5 and [size for size in parts if size > 400] == [501]  # that message alone


def test_a_message_without_a_required_field_is_a_row_for_the_rules(contract: Contract) -> None:
    (row,) = texts(contract, {"温度": 60}).select(list(FIRST)).to_pylist()
    assert row == {"station": None, "read_at": None, "temp_c": "60", "return_c": None}


@pytest.mark.parametrize("message", [b"no json", b"[1, 2]", b'{"other": 1}'])
def test_messages_of_which_none_is_a_reading(contract: Contract, message: bytes) -> None:
    (row,) = texts(contract, message, None, b"").select([*FIRST, "_row"]).to_pylist()
    assert row == {**dict.fromkeys(FIRST), "_row": 1}


def test_no_message_at_all_is_no_row(contract: Contract) -> None:
    assert texts(contract, b"", None).num_rows == 0


def test_a_message_that_cannot_be_read_is_a_malformed_row_and_stops_no_other(contract: Contract) -> None:
    wide = {f"n{i}": i for i in range(MOST_COLUMNS + 1)}
    rows = texts(contract, FIRST, wide, FIRST, FIRST, b"no json")
    assert rows["_row"].to_pylist() == [1, 2, 3, 4, 5]
    assert rows["station"].to_pylist() == ["A", None, "A", "A", None]
    reasons = rows["_malformed"].to_pylist()
    assert [reason is None for reason in reasons] == [True, False, True, True, False]
    assert json.loads(json.loads(rows["_line"].to_pylist()[1])) == wide


def test_of_an_hour_with_too_many_names_those_messages_that_go_beyond_are_malformed(contract: Contract) -> None:
    share = MOST_COLUMNS * 2 // 3
    wide = [{**FIRST, **{f"{part}{i}": i for i in range(share)}} for part in "ab"]
    sent = [json.dumps(message).encode() for message in (FIRST, *wide, FIRST, BY_HEADER)]
    assert texts(contract, *sent)["station"].to_pylist() == ["A"] * 5  # a batch is read in parts
    lines, rows = readable(contract, sent)
    assert rows["_row"].to_pylist() == [1, 2, 3, 4, 5]
    assert rows["station"].to_pylist() == ["A", "A", None, "A", "A"]
    assert [reason is None for reason in rows["_malformed"].to_pylist()] == [True, True, False, True, True]
    assert json.loads(json.loads(rows["_line"].to_pylist()[2])) == wide[1]
    again, same = readable(contract, lines)
    assert again == lines and same.equals(rows)


def test_a_message_whose_names_are_ambiguous_stops_no_other(contract: Contract) -> None:
    doubtful = {"Station": "A", "STATION": "B"}
    assert texts(contract, FIRST, doubtful, BY_HEADER)["station"].to_pylist() == ["A", None, "A"]
    lines, rows = readable(contract, [json.dumps(m).encode() for m in ({"temp_c": 60}, doubtful, {"温度": 61})])
    assert rows["temp_c"].to_pylist() == ["60", None, "61"]
    assert json.loads(json.loads(lines[1])) == json.loads(json.loads(rows["_line"].to_pylist()[1])) == doubtful


def test_a_long_message_with_few_names_stays_as_it_is() -> None:
    readings = json.dumps({"station": "A", "wave": [{"t": i, "v": i} for i in range(MOST_COLUMNS)]}).encode()
    assert line(readings) == readings
    assert line(b"x" * 100_000) == b"x" * 100_000
    nested = json.dumps({"station": {f"n{i}": {"v": i} for i in range(MOST_COLUMNS + 1)}}).encode()
    assert json.loads(json.loads(line(nested))) == json.loads(nested)


def test_a_message_of_several_lines_keeps_its_digits(contract: Contract) -> None:
    message = b'{"station": "A",\r\n "temp_c": 60.10,\n "return_c": 1e3}'
    (row,) = texts(contract, message).select(["station", "temp_c", "return_c"]).to_pylist()
    assert row == {"station": "A", "temp_c": "60.10", "return_c": "1e3"}


FOREIGN = (
    b"<html><body>",
    b"PAR1",
    b"PK\x03\x04",
    b"%PDF-1.4",
    b"\xff\xfe\x00",
    b"7z\xbc\xaf\x27\x1c",
    b"[1]",
    b"no json",
    b"",
)


@pytest.mark.parametrize("first", FOREIGN)
def test_whatever_comes_first_an_hour_of_it_can_be_read(contract: Contract, tmp_path: Path, first: bytes) -> None:
    lines, rows = readable(contract, [first, b'{"station": "A"}'])
    assert rows["station"].to_pylist() == ([None, "A"] if first else ["A"])
    file = tmp_path / f"station{SUFFIX}"
    file.write_bytes(gzip.compress(file_of(lines)[0]))
    reading = read([LocalFile(file.name, file)], telemetry(contract), tmp_path)
    sealed = pa.Table.from_batches(list(reading.batches), reading.schema)
    assert sealed.drop_columns(["_file", "_row"]).equals(rows.drop_columns(["_file", "_row"]))
    assert file_of([b"", b""])[0] == b"{}\n\n\n"


def test_a_message_in_another_encoding_changes_no_other(contract: Contract) -> None:
    sent = ['{"站点": "东区站"}'.encode(codec) for codec in ("utf-8", "gb18030", "utf-8-sig", "utf-8")]
    assert texts(contract, *sent, b'{"station": "\xff"}')["station"].to_pylist() == ["东区站"] * 4 + ["\ufffd"]


PIECES = st.sampled_from(
    [
        b'{"a": 1}',
        "温".encode(),
        "温".encode()[:1],
        "温".encode()[1:],
        b"\n",
        b"\r",
        b"\x00",
        b"\xef\xbb\xbf",
        b"\xff",
        b" ",
    ]
)
ANY_MESSAGE = st.one_of(st.none(), st.lists(PIECES, max_size=4).map(b"".join))


@given(st.lists(ANY_MESSAGE, max_size=5))
@example([])
@example([None, b""])
@example(["温".encode()[:1], "温".encode()[1:]])
@example([b'{"a": "' + b"x" * LONG + b'"}'])
@example([json.dumps({str(n): n for n in range(MOST_COLUMNS + 1)}).encode()])
def test_messages_together_become_the_lines_that_each_becomes(values: list[bytes | None]) -> None:
    assert lines_of(values) == [line(value) for value in values]


@pytest.mark.parametrize("zone", ["UTC", "Asia/Shanghai", "America/New_York"])
def test_the_time_of_receipt_is_in_utc_whatever_the_zone_of_the_session(contract: Contract, zone: str) -> None:
    moments = [datetime(2026, 3, 1, 0, 0, 0, 123456, UTC), datetime(2026, 11, 1, 5, 30, tzinfo=UTC)]
    table = pa.table(
        {
            "partition": pa.array([0, 0], pa.int32()),
            "offset": pa.array([7, 8], pa.int64()),
            "timestamp": pa.array(moments, pa.timestamp("us", zone)),
            "value": pa.array([json.dumps(FIRST).encode()] * 2, pa.binary()),
            "headers": pa.array([[], []], pa.list_(pa.struct([("key", pa.string()), ("value", pa.binary())]))),
        }
    )
    assert contract.stream is not None
    received = messages_of(contract, contract.stream, table).received
    assert received.to_pylist() == datetimes(received) == moments
    assert all(moment is not None and moment.tzinfo is UTC for moment in datetimes(received))
