"""Messages are read by the names that files have too; a name that no message has makes the others no worse."""

import json
from collections.abc import Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.contracts import Contract, load
from jobs.pipeline.stream_messages import bronze_of
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
