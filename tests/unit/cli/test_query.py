"""Output that fits any screen, and options that may be omitted."""

from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from jobs import contracts
from jobs.cli import app, query
from jobs.settings import load


def shown(width: int, names: list[str], rows: list[list[str]]) -> str:
    out = StringIO()
    query.show_rows(Console(file=out, width=width), names, rows)
    return out.getvalue()


def test_a_narrow_answer_is_one_table() -> None:
    text = shown(80, ["county", "rows"], [["东昌府区", "12"], ["临清市", "7"]])
    assert [line for line in text.splitlines() if "东昌府区" in line and "12" in line]
    assert "1 / 2" not in text


def test_an_answer_wider_than_the_screen_is_shown_row_by_row_with_nothing_cut() -> None:
    names = [f"column_{n}" for n in range(12)]
    rows = [[f"value_{row}_{n}" for n in range(12)] for row in range(2)]
    text = shown(60, names, rows)
    assert "1 / 2" in text and "2 / 2" in text
    for row in rows:
        for name, value in zip(names, row, strict=True):
            assert any(name in line and value in line for line in text.splitlines())


@pytest.fixture
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("schemas", "expectations"):
        (tmp_path / name).mkdir()
        monkeypatch.setenv(f"LAKE_{name.upper()}", str(tmp_path / name))
    load.cache_clear()
    return tmp_path


@pytest.mark.parametrize(
    ("name", "dataset"), [("Street lamps 2026.csv", "street_lamps"), ("路灯台账.csv", "new_dataset")]
)
def test_a_new_contract_without_an_id_is_named_after_its_file(workplace: Path, name: str, dataset: str) -> None:
    file = workplace / name
    file.write_text(
        "编号,功率(W),安装日期\n" + "".join(f"L{n:03d},{60 + n},2026-01-{1 + n:02d}\n" for n in range(20)), "utf-8"
    )
    first = CliRunner().invoke(app, ["contracts", "new", str(file)])
    load.cache_clear()
    assert first.exit_code == 0, first.output
    assert dataset in contracts.load(workplace / "schemas", workplace / "expectations").contracts
    second = CliRunner().invoke(app, ["contracts", "new", str(file)])
    load.cache_clear()
    assert second.exit_code == 2 and "already exists" in second.output.replace("\n", " ")
