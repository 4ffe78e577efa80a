"""A key is proposed for what its headers and types say, never for being unique alone."""

import re
from pathlib import Path

import pytest
import yaml
from stdnum.cn import uscc

from jobs.contracts import Elements
from jobs.ingest.kinds import LocalFile
from jobs.ingest.proposal import propose
from jobs.settings import PROJECT


def proposed(folder: Path, header: str, *rows: str) -> str:
    file = folder / "d.csv"
    file.write_text("\n".join((header, *rows)), "utf-8")
    return propose(LocalFile(file.name, file), "d", "p", folder, Elements.load(PROJECT / "schemas" / "elements"))


def key(text: str) -> list[str]:
    """Headers of the key's fields, in order."""
    found = {}
    for block in text.split("      - name: ")[1:]:
        if "primaryKeyPosition: " in block:
            place = int(block.split("primaryKeyPosition: ")[1][0])
            found[place] = block.split("{header: ")[1].split(",")[0].split("}")[0]
    return [found[place] for place in sorted(found)]


@pytest.mark.parametrize(
    ("header", "row", "wanted"),
    [
        ("编号,名称,数量", "A{n},站{n},{n}", ["编号"]),
        ("区县,户数,备注", "某县,{n},好{n}", []),
        ("序号,区县,用量", "{n},某县,{n}.5", []),
        ("站点,采集时间,水温", "S{n},2026-01-05 08:00:00,{n}.5", ["站点", "采集时间"]),
        ("站点,采集时间,水温", "S1,2026-01-05 08:{n:02d}:00,{n}.5", ["站点", "采集时间"]),
        ("企业编号,成立日期,注册资本", "E{n},2020-01-01,{n}.5", ["企业编号"]),
        ("区县,月份,用水量", "县{half},2026-0{parity},{n}.5", ["月份", "区县"]),
        ("时间,流量", "2026-01-05 08:{n:02d}:00,{n}.5", ["时间"]),
    ],
)
def test_a_key_is_proposed_with_reasons(tmp_path: Path, header: str, row: str, wanted: list[str]) -> None:
    rows = [row.format(n=n, half=n // 2, parity=n % 2 + 1) for n in range(2, 12)]
    text = proposed(tmp_path, header, *rows)
    assert key(text) == wanted
    assert ("mode: merge" in text) == bool(wanted)


def test_nearly_unique_columns_are_told(tmp_path: Path) -> None:
    text = proposed(tmp_path, "编号,名称", *(f"A{n},站" for n in range(40)), "A7,站")
    assert key(text) == [] and "近似唯一：41 行中有 2 行重复" in text
    assert "（样本中 2 行不符）: expect_column_values_to_be_unique {column: field_1}\n" in text


def test_columns_that_are_nearly_unique_together_are_a_candidate_rule_in_the_words_of_gx(tmp_path: Path) -> None:
    rows = [f"S{n % 4},2026-01-05 {n // 4:02d}:00:00,{n}.5" for n in range(80)]
    text = proposed(tmp_path, "站点编号,采集时间,水温", *rows, *rows[:1], rows[0])
    rule = re.search(r"样本中 (\d+) 行不符）: (\w+) (\{.*\})", text)
    assert rule and rule[1] == "3" and rule[2] == "expect_compound_columns_to_be_unique"
    assert yaml.safe_load(rule[3]) == {"column_list": ["field_1", "read_at"], "ignore_row_if": "any_value_is_missing"}


def test_a_header_that_names_an_element_takes_it_where_the_values_agree(tmp_path: Path) -> None:
    bodies = ("91371500MA3TE0106", "91371500MA3TE0114")
    valid = [body + uscc.calc_check_digit(body) for body in bodies]
    right = proposed(tmp_path, "统一社会信用代码,备注", *(f"{code},无" for code in valid))
    assert "- name: uscc\n" in right
    wrong = proposed(tmp_path, "统一社会信用代码,备注", "91371500MA3TE01064,无", "x,无")
    assert (
        "- name: uscc\n" not in wrong
        and "像是数据元 uscc（统一社会信用代码，string），但有 2 行的值不符合其约定" in wrong
    )
