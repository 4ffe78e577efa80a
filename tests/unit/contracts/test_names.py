"""Names of the lake's own columns never collide with those of delivered columns."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.contracts import Registry
from jobs.contracts.names import EXTRA, OF_A_DELIVERY, SENT, SENT_DATE, TEXT, TOLD
from jobs.errors import ContractError
from jobs.ingest.headers import column_name
from tests.contract_texts import STATION_FIELDS, STATION_SUITE, contract
from tests.own_names import names_of_people, own_names

PLACE, SUITE = "schemas/sources/heat/station.yaml", "expectations/sources/heat/station.yaml"


def test_no_own_name_begins_with_the_prefix_of_another():
    names = own_names()
    kinds = [name for name in names if name.endswith("_")]
    assert {SENT, TEXT, TOLD, EXTRA, "_dup_", "_lost_", "_series_"} <= set(kinds) and SENT_DATE in names
    assert [(n, k) for n in names for k in kinds if n != k and n.startswith(k)] == []


def test_the_tried_names_include_those_that_once_collided():
    assert {"date", "file", "row", "delivery", "mask", "raw", "key"} <= set(names_of_people())


@given(st.text(max_size=20), st.integers(1, 50))
def test_no_header_becomes_a_reserved_name(header: str, position: int):
    assert not column_name(header, position).startswith("_")


@pytest.mark.parametrize("name", ["_date", "_sent_date", "_row"])
def test_a_field_with_a_reserved_name_is_rejected(write_contracts: Callable[..., Registry], name: str):
    with pytest.raises(ContractError, match="may only contain"):
        write_contracts({PLACE: contract("station", STATION_FIELDS.replace("name: return_c", f"name: {name}"))})


def test_a_field_with_the_name_of_a_qualifier_column_is_rejected(write_contracts: Callable[..., Registry]):
    fields = STATION_FIELDS.replace('units: {"℃": 1}', "censored: true").replace("return_c", "temp_c_qualifier")
    with pytest.raises(ContractError, match="temp_c_qualifier"):
        write_contracts({PLACE: contract("station", fields)})


@pytest.mark.parametrize("name", ["primary_key", "temp_c_range", "row_shape", *OF_A_DELIVERY])
def test_a_written_rule_with_the_id_of_another_is_rejected(write_contracts: Callable[..., Registry], name: str):
    suite = STATION_SUITE.replace("id: temp_operating", f"id: {name}")
    with pytest.raises(ContractError, match=f"'{name}' is already the id"):
        write_contracts({PLACE: contract("station", STATION_FIELDS), SUITE: suite})


def test_a_field_whose_rule_would_have_the_id_of_a_delivery_check_is_rejected(
    write_contracts: Callable[..., Registry],
):
    coded = "      - {name: delivery, logicalType: string, customProperties: [{property: code, value: readable}]}\n"
    with pytest.raises(ContractError, match="delivery_readable"):
        write_contracts({PLACE: contract("station", STATION_FIELDS + coded)})


def test_every_check_of_a_delivery_has_a_reserved_id():
    from jobs.quality.wordings import wordings

    assert set(wordings().checks) == set(OF_A_DELIVERY)
