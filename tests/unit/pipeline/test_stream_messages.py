"""Messages are read by the names that files have too; a name that no message has makes the others no worse."""

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.contracts import Contract, load
from jobs.ingest.columns import MOST_COLUMNS
from jobs.pipeline.stream_messages import bronze_of, line
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


def test_messages_with_too_many_names_together_are_read_apart(contract: Contract) -> None:
    share = MOST_COLUMNS * 2 // 3
    messages = [{**FIRST, **{f"{part}{i}": i for i in range(share)}} for part in "ab"]
    rows = texts(contract, *messages)
    assert rows["_row"].to_pylist() == [1, 2] and rows["_malformed"].null_count == 2
    assert rows["station"].to_pylist() == ["A", "A"]


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
