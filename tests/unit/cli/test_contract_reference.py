"""The reference tables of docs/contracts.md match the code, and every key has a meaning."""

import re

import pytest
from pydantic import BaseModel

from jobs.cli.contract_reference import GENERATED, TABLES, keys_table, markdown, with_tables
from jobs.contracts.layout import Layout, Source, Write
from jobs.errors import UserError
from jobs.settings import PROJECT

PAGE = (PROJECT / "docs" / "contracts.md").read_text("utf-8")


def test_the_tables_of_the_page_match_the_code() -> None:
    assert with_tables(PAGE) == PAGE, "stale: run `lake contracts docs`"


def test_every_table_is_on_the_page_once() -> None:
    assert sorted(name for _, name, _, _ in GENERATED.findall(PAGE)) == sorted(TABLES)


def test_a_table_that_was_edited_by_hand_is_regenerated() -> None:
    stale = re.sub(r"\| `delimiter` .*\n", "", PAGE)
    assert stale != PAGE and with_tables(stale) == PAGE


def test_a_marker_without_a_table_is_rejected_with_the_known_names() -> None:
    with pytest.raises(UserError, match=r"no table is called 'layuot'; known: .*layout"):
        with_tables("<!-- generated: layuot -->\n<!-- end -->")


@pytest.mark.parametrize("name", TABLES)
def test_every_line_of_a_table_has_a_meaning(name: str) -> None:
    lines = TABLES[name]().splitlines()[2:]
    assert lines and [line for line in lines if not line.rstrip(" |").strip() or line.endswith("|  |")] == []


@pytest.mark.parametrize(
    ("model", "line"),
    [
        (
            Layout,
            "| `skip_rows` | whole number, from 0 | `0` | Rows above the header; more are skipped where only the row below them names the columns. |",
        ),
        (Layout, "| `sheet` | text or whole number | `0` | Name of the sheet, or its position from 0. |"),
        (Source, "| `case` | `upper` · `lower` |  | Converts letters to upper or lower case. |"),
        (Write, "| `partition_by` | list |  | Fields that the silver table is partitioned by. |"),
    ],
)
def test_a_key_is_listed_with_its_values_default_and_meaning(model: type[BaseModel], line: str) -> None:
    assert line in keys_table(model).splitlines()


def test_a_cell_separator_is_escaped_within_a_cell() -> None:
    assert markdown(("key",), [("a|b",)]) == "| key |\n|---|\n| a\\|b |"
