"""The ledger is correct: the row and field that it names hold the fault, and the rules that it names exist."""

import csv
import io
import json
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from functools import cache
from pathlib import Path

import openpyxl
import pandas as pd
import pytest

from jobs.contracts import Contract, load
from jobs.contracts.codes import conditions_of
from jobs.quality.codes import conditions
from jobs.quality.engines import PandasText
from jobs.simulator import KINDS, START, Fault, SentFile, send
from jobs.simulator.faults import read_ledger

ROOT = Path(__file__).parents[3]
RANK = {"info": 0, "warning": 1, "critical": 2}
IDENTITY_BEFORE_1999 = 15
CATALOGUE = load(ROOT / "schemas", ROOT / "expectations")
Lines = Mapping[int, Mapping[str, str]]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> dict[str, SentFile]:
    out = tmp_path_factory.mktemp("city")
    return {one.key: one for n in range(3) for one in send(START + timedelta(days=n), 5, out)}


@pytest.fixture(scope="module")
def faults(sent: dict[str, SentFile]) -> list[Fault]:
    folders = {one.path.parents[1] for one in sent.values()}
    return [fault for folder in sorted(folders) for fault in read_ledger(folder / "faults.jsonl")]


@cache
def lines(path: Path, dataset: str) -> Lines:
    """Row number as a person sees it → header → text, read without the lake's own readers."""
    if path.suffix == ".xlsx":
        return _workbook(path, CATALOGUE.contract(dataset))
    if path.suffix in (".json", ".jsonl"):
        text = path.read_text("utf-8")
        records = json.loads(text)["data"]["list"] if path.suffix == ".json" else map(json.loads, text.splitlines())
        return {n: _flat(record) for n, record in enumerate(records, 1)}
    content = path.read_bytes()
    if path.suffix == ".zip":
        with zipfile.ZipFile(path) as archive:
            content = archive.read(next(n for n in archive.namelist() if n.endswith(".csv")))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = content.decode("gb18030")
    header, *rows = csv.reader(io.StringIO(text))
    return {
        n: {**dict(zip(header, row, strict=False)), "": str(len(row) - len(header))} for n, row in enumerate(rows, 2)
    }


def _workbook(path: Path, contract: Contract) -> Lines:
    layout = contract.layout
    rows = [["" if v is None else str(v) for v in row] for row in openpyxl.load_workbook(path).active.values]
    levels = rows[layout.skip_rows : layout.skip_rows + layout.header_rows]
    upper = levels[0]
    for column in range(1, len(upper)):
        upper[column] = upper[column] or upper[column - 1]
    header = ["/".join(dict.fromkeys(filter(None, parts))) for parts in zip(*levels, strict=True)]
    first = layout.skip_rows + layout.header_rows
    numbered = [n for n in range(first, len(rows)) if rows[n][0].isdigit()]
    return {n + 1: dict(zip(header, rows[n], strict=True)) for n in numbered}


def _flat(record: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    cells: dict[str, str] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            cells.update(_flat(value, f"{prefix}{name}."))
        else:
            cells[prefix + name] = "" if value is None else str(value)
    return cells


def cell(row: Mapping[str, str], contract: Contract, field: str) -> str:
    return next((row[h] for h in contract.field(field).headers() if h in row), "")


def _is_missing(text: str, contract: Contract, field: str) -> bool:
    return text in ("", *contract.layout.missing)


def _breaks_pattern(text: str, contract: Contract, field: str) -> bool:
    one = contract.field(field)
    if one.type == "number":
        return not re.fullmatch(r"-?[\d.]+", text)
    for name in conditions_of(one.code):
        if not conditions()[name](PandasText(), pd.Series([text]))[0]:
            return True
    is_short = len(text) < (one.min_length or 0) or len(text) == IDENTITY_BEFORE_1999
    return is_short or not re.search(one.pattern or "", text)


def _outside(text: str, contract: Contract, field: str) -> bool:
    low, high = contract.field(field).minimum, contract.field(field).maximum
    return (low is not None and float(text) < float(low)) or (high is not None and float(text) > float(high))


def _not_in_table(text: str, contract: Contract, field: str) -> bool:
    one = contract.field(field)
    return text not in one.enum and text not in one.source.mapping


CHECKS: Mapping[str, Callable[[str, Contract, str], bool]] = {
    "missing_required": _is_missing,
    "bad_enum": _not_in_table,
    "out_of_band": _outside,
    "synonym": lambda text, contract, field: text in contract.field(field).source.mapping,
    "unit_glued": lambda text, contract, field: any(text.endswith(u) for u in contract.field(field).source.units),
    "thousands": lambda text, contract, field: "," in text,
    "full_width": lambda text, contract, field: any("！" <= c <= "～" for c in text),
    "lower_case": lambda text, contract, field: text != text.upper(),
    "censored": lambda text, contract, field: text.startswith("<"),
    "garbled": lambda text, contract, field: bool(re.search(r"[?□\ufffd]|锟斤拷|鑱婂煄", text)),
    "personal_data_in_text": lambda text, contract, field: bool(re.search(r"\d{11}|^20\d\d-", text)),
    "zero_for_lost": lambda text, contract, field: float(text) == 0,
    "sentinel": lambda text, contract, field: text in ("-999", "9999", "-273.15"),
    "bad_pattern": _breaks_pattern,
}


@pytest.mark.parametrize("kind", sorted(CHECKS))
def test_named_cell_holds_the_fault(kind: str, faults: list[Fault], sent: dict[str, SentFile]) -> None:
    chosen = [fault for fault in faults if fault.kind == kind]
    assert chosen
    for fault in chosen:
        contract = CATALOGUE.contract(fault.dataset)
        row = lines(sent[fault.delivery].path, fault.dataset)[fault.row]
        assert CHECKS[kind](cell(row, contract, fault.field), contract, fault.field), fault


def test_named_row_has_the_named_key(faults: list[Fault], sent: dict[str, SentFile]) -> None:
    for fault in faults:
        if fault.row:
            contract = CATALOGUE.contract(fault.dataset)
            row = lines(sent[fault.delivery].path, fault.dataset)[fault.row]
            assert "|".join(cell(row, contract, name) for name in contract.key()) == fault.key


def test_malformed_lines_have_too_many_or_too_few_cells(faults: list[Fault], sent: dict[str, SentFile]) -> None:
    for key, one in sent.items():
        if one.path.suffix == ".csv":
            found = lines(one.path, one.dataset)
            named = {f.row for f in faults if f.delivery == key and f.kind == "malformed_row"}
            assert {n for n, row in found.items() if row[""] != "0"} == named


def test_copies_and_conflicts_are_all_in_the_ledger(faults: list[Fault], sent: dict[str, SentFile]) -> None:
    for key, one in sent.items():
        contract = CATALOGUE.contract(one.dataset)
        keys = Counter(
            tuple(cell(row, contract, n) for n in contract.key()) for row in lines(one.path, one.dataset).values()
        )
        planted = [f for f in faults if f.delivery == key]
        copies = sum(f.kind == "duplicate_row" for f in planted)
        conflicts = sum(f.kind == "key_conflict" for f in planted) // 2
        assert sum(n - 1 for n in keys.values()) == copies + conflicts


def test_rules_exist_and_the_worst_of_them_gives_the_severity(faults: list[Fault]) -> None:
    for fault in faults:
        severities = {rule.id: rule.severity for rule in CATALOGUE.rules[fault.dataset]}
        assert set(fault.rules) <= set(severities), fault
        worst = max((RANK[severities[rule]] for rule in fault.rules), default=0)
        assert RANK[fault.severity] == worst, fault


def test_fault_fails_a_rule_or_is_repaired(faults: list[Fault]) -> None:
    assert [fault for fault in faults if bool(fault.rules) == bool(fault.repair)] == []


def test_every_class_is_planted_but_those_of_a_later_stage(faults: list[Fault]) -> None:
    assert {fault.kind for fault in faults} == set(KINDS)


def test_no_row_holds_two_faults(faults: list[Fault]) -> None:
    places = Counter((f.delivery, f.row) for f in faults if f.row)
    assert [place for place, n in places.items() if n > 1] == []


def test_correction_fixes_most_faults_but_not_all(faults: list[Fault], sent: dict[str, SentFile]) -> None:
    (correction,) = [one for one in sent.values() if one.supersedes_of]
    before = [f for f in faults if f.delivery == correction.supersedes_of]
    after = [f for f in faults if f.delivery == correction.key]
    assert 0 < len(after) <= 3 < 20 < len(before)
    assert {f.key for f in after} <= {f.key for f in before}


def test_declared_rows_are_true_but_where_the_ledger_says_otherwise(
    faults: list[Fault], sent: dict[str, SentFile]
) -> None:
    wrong = {f.delivery for f in faults if f.kind == "declared_rows"}
    for key, one in sent.items():
        counted = len(lines(one.path, one.dataset))
        assert (one.declared_rows != counted) == (key in wrong)
