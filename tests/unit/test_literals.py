"""Regulations and facts of the city are data: no string of the code cites the one or names the other."""

import ast
import re
from collections.abc import Iterator

import pytest

from jobs.contracts.place import place
from jobs.settings import PROJECT

FILES = sorted((PROJECT / "jobs").rglob("*.py"))
CITATION = re.compile(
    r"\b(GB|CJ|CJJ|HJ|JGJ|DB\d\d)(/T)?\s?\d|国办|国务院|国发|〔\d{4}〕|《[^》]*(法|条例|办法|规定|意见)》"
)


def facts_of_place() -> re.Pattern[str]:
    """Names and codes of the city and its counties, in Chinese and in Latin letters."""
    city = place()
    names = {city.name, city.short_name, city.latin_name, city.dialling_code, "山东", "shandong"}
    names |= {county.name for county in city.counties} | {zone.name for zone in city.zones}
    codes = (city.division_code[:4] + r"\d\d", city.postcode[:4] + r"\d\d(?!\d)")
    return re.compile("|".join((*map(re.escape, sorted(names)), *codes)), re.IGNORECASE)


def strings(source: str) -> Iterator[tuple[int, str]]:
    """Line and text of every string that is not a docstring."""
    tree = ast.parse(source)
    documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.lineno, node.value


def matches(pattern: re.Pattern[str], source: str) -> list[tuple[int, str]]:
    return [(line, text) for line, text in strings(source) if pattern.search(text)]


@pytest.mark.parametrize("pattern", [CITATION, facts_of_place()], ids=["regulation", "place"])
def test_no_string_cites_a_regulation_or_names_a_place(pattern: re.Pattern[str]) -> None:
    cited = {file.relative_to(PROJECT): matches(pattern, file.read_text("utf-8")) for file in FILES}
    assert len(cited) > 100 and {file: lines for file, lines in cited.items() if lines} == {}


@pytest.mark.parametrize(
    "text",
    ["GB/T 36344-2018", "GB 32100", "CJJ 34", "国办发明电〔2024〕12号", "《企业信息公示暂行条例》第十八条"],
)
def test_a_citation_is_seen_in_strings_but_not_in_docstrings(text: str) -> None:
    assert matches(CITATION, f'"""{text}"""\nx = f"按 {text} {{1}}"\n') == [(2, f"按 {text} ")]


@pytest.mark.parametrize(
    "text", ["聊城市茌平区", "liaocheng_water", "0635-8241111", "WP-371502-001", "252000", "Shandong"]
)
def test_a_fact_of_the_place_is_seen(text: str) -> None:
    assert matches(facts_of_place(), f"def f():\n    '''{text}'''\n    return {text!r}\n") == [(3, text)]
