"""The glossary names things as the code does: what it gives as a name in the code exists there, once for each word."""

import ast
import re
from collections import Counter
from functools import cache

import pytest

from jobs.collaboration.state_machine_file import state_machine
from jobs.settings import PROJECT

GLOSSARY = (PROJECT / "docs" / "glossary.md").read_text("utf-8")
JOBS = PROJECT / "jobs"
ROW = re.compile(r"^\| (?P<chinese>[^|]+) \| (?P<english>[^|]+) \| (?P<code>[^|]*) \|", re.M)
ROWS = [row for row in ROW.finditer(GLOSSARY) if row["english"] not in ("English", "---")]
CODE_NAMES = sorted({name for row in ROWS for name in re.findall(r"`([^`]+)`", row["code"]) if " " not in name})


def _names(node: ast.AST) -> list[str]:
    """What a piece of syntax gives a name to."""
    match node:
        case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
            return [name]
        case ast.arg(arg=name) | ast.Name(id=name, ctx=ast.Store()):
            return [name]
        case _:
            return []


@cache
def defined_names() -> frozenset[str]:
    """Names that the code gives to modules, classes, functions, parameters and fields, and that the state machine knows."""
    files = list(JOBS.rglob("*.py"))
    names = {name for file in files for node in ast.walk(ast.parse(file.read_text("utf-8"))) for name in _names(node)}
    machine = state_machine()
    return frozenset({*names, *(file.stem for file in files), *machine.states, *machine.events})


@cache
def members(class_name: str) -> frozenset[str]:
    """Names within all classes of that name."""
    classes = [
        node
        for file in JOBS.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and node.name == class_name
    ]
    return frozenset(name for found in classes for node in ast.walk(found) for name in _names(node))


def exists(name: str) -> bool:
    """Whether the code has that name: a path, a member of a class, or a name."""
    bare = name.removesuffix("()")
    if "/" in bare:
        return (PROJECT / bare).exists()
    owner, _, member = bare.rpartition(".")
    if owner:
        return member in members(owner)
    return bare in defined_names() or f'"{bare}"' in (JOBS / "contracts" / "names.py").read_text("utf-8")


@pytest.mark.parametrize("name", CODE_NAMES)
def test_a_name_in_the_code_is_one(name: str) -> None:
    assert exists(name)


@pytest.mark.parametrize("name", ["NoSuchClass", "Zone.NOWHERE", "jobs/nothing", "no_such_function()"])
def test_a_name_that_is_none_would_be_noticed(name: str) -> None:
    assert not exists(name)


def test_a_word_stands_in_the_glossary_once() -> None:
    english = Counter(word for row in ROWS for word in re.split(r"[,·] ?", re.sub(r"[^a-z,· -]", "", row["english"])))
    chinese = Counter(word for row in ROWS for word in re.split(r"[、·] ?", row["chinese"]))
    assert [word for word, count in (english + chinese).items() if count > 1 and word.strip()] == []
