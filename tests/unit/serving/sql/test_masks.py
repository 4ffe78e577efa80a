"""Masks of the engine give the same texts as those of the portal."""

from collections.abc import Iterator
from datetime import UTC, date, datetime

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.access.masking import Masking
from jobs.access.policy import Mask
from jobs.access.roles import outsider_view, owner_view
from jobs.contracts import Contract
from jobs.serving.sql import masks
from tests.unit.lake.local_lake import FIELDS, registry
from tests.unit.serving.sql.city import DATASET, SECRETS

TEXTS = [
    *SECRETS,
    *("", " ", "-", "无", "null", "东昌府区", "a", "12345678901", "1234567890", "0635-8231234", "３７１５０２２０００００３０７００１４"),
    *("电话 138 0635 1234 与 13806351234", "91371500MA3C00001X", "a\u200bb", "1380635\u200b1234", "line\nbreak", "6222 0212 3456 7890 123"),
    *("'; DROP VIEW x --", "王", "欧阳 修", "x" * 200),
]  # fmt: skip


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect(":memory:")
    masks.register(connection)
    yield connection
    connection.close()


def contract() -> Contract:
    return registry().contract(DATASET)


@pytest.mark.parametrize("view", [outsider_view(), owner_view()], ids=["outsider", "owner"])
@pytest.mark.parametrize("field", [f for f in FIELDS if f.type == "string"], ids=lambda f: f.name)
def test_each_value_has_the_text_of_the_portal(
    engine: duckdb.DuckDBPyConnection, view: dict[str, Mask], field: object
) -> None:
    masking, name = Masking(contract(), view), field.name  # type: ignore[attr-defined]
    if masking.mask(name) is Mask.HIDDEN:
        return
    kept = [text for text in TEXTS if text]
    function = f"_{masking.mask(name)}_{masks.TEXTS[contract().field(name).is_free_text()]}"
    rows = engine.execute(f"SELECT {function}(unnest(?))", [kept]).fetchall()
    assert [row[0] for row in rows] == [masking.value(text, (name,)) for text in kept]


@given(text=st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\x00")))
def test_any_text_has_the_text_of_the_portal(text: str) -> None:
    connection = _connection()
    for name in ("legal_rep_name", "remark", "uscc"):
        masking = Masking(contract())
        function = f"_{masking.mask(name)}_{masks.TEXTS[contract().field(name).is_free_text()]}"
        row = connection.execute(f"SELECT {function}(?::VARCHAR)", [text]).fetchone()
        assert row == (masking.value(text, (name,)),)


_kept: list[duckdb.DuckDBPyConnection] = []


def _connection() -> duckdb.DuckDBPyConnection:
    if not _kept:
        _kept.append(duckdb.connect(":memory:"))
        masks.register(_kept[0])
    return _kept[0]


def test_null_and_empty_stay(engine: duckdb.DuckDBPyConnection) -> None:
    for name in ("_as_sent_free", "_numbers_strict", "_ends_free"):
        assert engine.execute(f"SELECT {name}(NULL), {name}('')").fetchone() == (None, "")


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("BIGINT", 13806351234),
        ("DOUBLE", 1234.5),
        ("DATE", date(1990, 1, 2)),
        ("TIMESTAMPTZ", datetime(1990, 1, 2, 3, 4, tzinfo=UTC)),
        ("BOOLEAN", True),
    ],
)
def test_sensitive_values_of_other_types_become_masked_texts(
    engine: duckdb.DuckDBPyConnection, kind: str, value: object
) -> None:
    engine.execute("SET TimeZone = 'UTC'")
    masking = Masking(contract())
    row = engine.execute(f"SELECT _ends_{kind}(?::{kind})", [value]).fetchone()
    assert row == (masking.value(str(value), ("legal_rep_id_no",)),)


@pytest.mark.parametrize(
    ("number", "shown"),
    [(13806351234, None), (8613806351234, None), (371502200003070014, None), (99999999999, 99999999999), (-5, -5)],
)
def test_a_whole_number_that_reads_as_a_personal_one_is_null(
    engine: duckdb.DuckDBPyConnection, number: int, shown: int | None
) -> None:
    assert engine.execute("SELECT _numbers_BIGINT(?)", [number]).fetchone() == (shown,)


def test_a_fraction_is_no_personal_number(engine: duckdb.DuckDBPyConnection) -> None:
    assert engine.execute("SELECT _numbers_DOUBLE(13806351234.5), _numbers_DOUBLE(0.13806351234)").fetchone() == (
        13806351234.5,
        0.13806351234,
    )
