"""All names that the lake gives to columns of its own, found in its source: no list to forget one in."""

import ast
import re
from functools import cache
from pathlib import Path

JOBS = Path(__file__).parents[1] / "jobs"
ROOMS = ("contracts", "lake", "ingest", "conform", "quality", "pipeline")
OWN = re.compile(r"(?<![\w.`])_[a-z][a-z0-9_]*")
GIVEN = ("alias", "withColumn", "withColumnRenamed", "withColumns", "drop", "getField")
FIXED = (
    *(
        "date",
        "key",
        "raw",
        "reasons",
        "rule",
        "severity",
        "field",
        "value",
        "suggested",
        "tickets",
        "ticket",
        "record",
    ),
    *("t", "s", "e", "u0", "p", "n", "c0", "s0", "v_value", "count", "rows", "name", "metadata", "index", "partition"),
    *("source", "target", "delta", "order", "select", "null", "true", "current_date", "user", "struct", "version"),
    *("change_type", "commit_version", "commit_timestamp", "failed", "warned", "broken", "applies", "missing"),
)
"""Names without a mark: columns of the lake's fixed tables, aliases in its SQL, words of the engine."""


@cache
def own_names() -> frozenset[str]:
    """Names that begin with `_` in the source of the rooms that handle columns; of a kind, its beginning."""
    found: set[str] = set()
    for room in ROOMS:
        for file in (JOBS / room).glob("*.py"):
            texts = [n.value for n in ast.walk(ast.parse(file.read_text("utf-8"))) if isinstance(n, ast.Constant)]
            found.update(name for text in texts if isinstance(text, str) for name in OWN.findall(text))
    return frozenset(found)


@cache
def given_names() -> frozenset[str]:
    """Names without a mark that the source gives to columns."""
    found: set[str] = set()
    for room in ROOMS:
        for file in (JOBS / room).glob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in GIVEN:
                    found.update(a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str))
    return frozenset(name for name in found if re.fullmatch(r"[a-z][a-z0-9_]*", name))


def names_of_people() -> tuple[str, ...]:
    """Names that a person may choose and that could be taken for the lake's own: with and without marks and kinds."""
    found = {*FIXED, *given_names()}
    for name in own_names():
        parts = name.strip("_").split("_")
        found.update("_".join(parts[i:]) for i in range(len(parts)))
    return tuple(sorted(name for name in found if re.fullmatch(r"[a-z][a-z0-9_]*", name)))
