"""Exchange with the province at the command line: written, compared with exit code 2 on differences, codes drafted."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from jobs import contracts
from jobs.cli import app
from jobs.collaboration.tickets import Tickets
from jobs.errors import UserError
from jobs.lake.database import Database
from jobs.pipeline.catalogue import propose, record
from jobs.settings import PROJECT, load
from tests.unit.collaboration.samples import NO_CHECKS, REPORTER, ZONE, moved


@pytest.fixture
def tickets(made_sqlite: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tickets]:
    """One published entry without a code."""
    (tmp_path / "state.db").write_bytes(made_sqlite.read_bytes())
    monkeypatch.setenv("LAKE_DATABASE_URL", f"sqlite:///{tmp_path / 'state.db'}")
    monkeypatch.chdir(tmp_path)
    load.cache_clear()
    registry, now = contracts.load(PROJECT / "schemas", PROJECT / "expectations"), datetime.now(UTC)
    database = Database(f"sqlite:///{tmp_path / 'state.db'}")
    store = Tickets(database, registry.providers, ZONE, NO_CHECKS)
    stated = {"share": "unconditional", "share_method": "interface", "category": "1"}
    moved(
        store,
        propose(registry, store, "divisions", stated, (REPORTER, now)),
        "submit:reporter endorse:approver publish:officer",
        now,
    )
    yield store
    database.close()
    load.cache_clear()


def typed(*words: str) -> Result:
    return CliRunner().invoke(app, ["catalogue", *words], terminal_width=200)


def test_the_catalogue_goes_out_and_comes_back(tickets: Tickets, tmp_path: Path) -> None:
    for name in ("目录.xlsx", "目录.json"):
        assert "1 entries" in typed("export-province", name).output
        same = typed("reconcile", name)
        assert same.exit_code == 0 and "一致的目录 1" in same.output
    document = json.loads((tmp_path / "目录.json").read_text("utf-8"))
    document["信息资源"][0] |= {"所属主题": "民政", "省级目录代码": "1010019999", "流水": "7"}
    (tmp_path / "省.json").write_text(json.dumps(document, ensure_ascii=False), "utf-8")
    other = typed("reconcile", "省.json", "--out", "结果.xlsx")
    assert other.exit_code == UserError.exit_code and (tmp_path / "结果.xlsx").read_bytes().startswith(b"PK")
    assert all(text in other.output for text in ("所属主题", "民政", "1010019999", "流水"))
    drafted = typed("adopt-codes", "省.json", "-p", "civil_affairs", "--name", "张三")
    assert drafted.exit_code == 0 and "– → 1010019999  T-000002" in drafted.output
    registry = contracts.load(PROJECT / "schemas", PROJECT / "expectations")
    change = record(registry, tickets, "divisions", datetime.now(UTC)).pending()
    assert [(one.title, one.after) for one in change] == [("信息资源代码", "1010019999")]
    assert typed("adopt-codes", "省.json", "-p", "liaocheng_gas", "--name", "赵六").output == ""


def test_what_is_no_extract_and_an_unknown_form_are_refused(tickets: Tickets, tmp_path: Path) -> None:
    (tmp_path / "坏.xlsx").write_bytes(b"PK")
    for words in (("reconcile", "坏.xlsx"), ("export-province", "目录.pdf")):
        refused = typed(*words)
        assert isinstance(refused.exception, UserError), words
