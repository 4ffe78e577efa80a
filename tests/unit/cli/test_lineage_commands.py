"""lake lineage and lake contracts grades on the shipped contracts and a lake in a folder."""

from pathlib import Path

import pyarrow as pa
import pytest
from typer.testing import CliRunner

from jobs.access.recognisers import recognise
from jobs.cli import app
from jobs.cli.lineage_commands import _runs
from jobs.errors import UserError
from jobs.lake.zones import Zone
from jobs.pipeline.grade_suggestions import suggestions
from tests.unit.lake.local_lake import CANARIES, DATASET, LocalLake, full_lake


def said(*words: str) -> str:
    done = CliRunner().invoke(app, words, env={"COLUMNS": "200"})
    if done.exception:
        raise done.exception
    return done.output


def test_a_column_is_shown_with_what_is_up_and_down_of_it() -> None:
    lines = said("lineage", "show", "hotline_orders.category_major")
    up, down = lines.split("downstream / 下游")
    assert "landing.hotline_orders.category.major" in up and "DIRECT IDENTITY" in up
    assert "gold.hotline_day.category_major" in down and "INDIRECT GROUP_BY" in down


def test_a_table_is_shown_with_its_columns_and_rows() -> None:
    lines = said("lineage", "show", "hotline_day")
    assert all(text in lines for text in ("silver.divisions", "columns / 字段", "rows / 行", "INDIRECT FILTER"))


def test_an_unknown_name_is_an_error_in_both_languages() -> None:
    with pytest.raises(UserError, match=r"没有数据集或字段 hotline_day\.nothing"):
        said("lineage", "show", "hotline_day.nothing")


@pytest.mark.parametrize(("every", "number"), [(False, 1), (True, 3)])
def test_the_newest_run_of_each_dataset_is_exported_or_every_one(tmp_path: Path, every: bool, number: int) -> None:
    lake, _ = full_lake(tmp_path)
    runs = _runs(lake, every)  # type: ignore[arg-type]
    assert [verdict.seq for verdict, _ in runs] == [1, 2, 3][-number:]
    assert {rule.delivery for _, rules in runs for rule in rules} == {verdict.delivery for verdict, _ in runs}


def test_no_run_is_no_event(tmp_path: Path) -> None:
    assert _runs(LocalLake(tmp_path), False) == []  # type: ignore[arg-type]


def test_fields_of_curated_rows_that_need_a_higher_grade(tmp_path: Path) -> None:
    lake, registry = full_lake(tmp_path)
    rows = pa.table({"uscc": [CANARIES[2]], "legal_rep_id_no": [CANARIES[0]], "capital_cny": [1.0]})
    lake.delta.put(lake.path(Zone.SILVER, DATASET), rows)
    found = list(suggestions(lake, registry.sources()))  # type: ignore[arg-type]
    assert [(one.dataset, one.field.name, one.recognition.grade) for one in found] == [(DATASET, "uscc", "L3")]
    assert recognise("代码", {"91371502MA3C00001X": 1}) is None
