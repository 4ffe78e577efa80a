"""The written limits of the code: what DAG files may import, how long they are, and how complex anything may be."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from radon.complexity import cc_visit
from radon.visitors import Class, Function

from jobs.settings import PROJECT

DAGS = sorted((PROJECT / "dags").glob("*.py"))
AT_PARSE_TIME = ("jobs.contracts", "jobs.settings")
"""Settings say where the contracts lie."""

IN_TASKS = ("jobs.pipeline", "jobs.errors", *AT_PARSE_TIME)
MOST_LINES, MOST_COMPLEX = 60, 10


def imports(tree: ast.AST, in_function: bool = False) -> Iterator[tuple[str, bool]]:
    """Modules of this project that are imported, and whether that happens within a function."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, in_function) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((f"{node.module}.{alias.name}", in_function) for alias in node.names)
        is_function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
        yield from imports(node, in_function or is_function)


def is_within(module: str, rooms: tuple[str, ...]) -> bool:
    return any(f"{module}.".startswith(f"{room}.") for room in rooms)


def forbidden(source: str) -> list[str]:
    """Imports of a DAG file that its rule does not allow."""
    own = [(module, late) for module, late in imports(ast.parse(source)) if module.partition(".")[0] == "jobs"]
    return [module for module, late in own if not is_within(module, IN_TASKS if late else AT_PARSE_TIME)]


@pytest.mark.parametrize("file", DAGS, ids=lambda file: file.name)
def test_dag_file_imports_contracts_when_parsed_and_steps_only_in_tasks(file: Path) -> None:
    assert forbidden(file.read_text("utf-8")) == []


@pytest.mark.parametrize(
    ("source", "modules"),
    [
        ("from jobs.pipeline import steps", ["jobs.pipeline.steps"]),
        ("from jobs import contracts, lake", ["jobs.lake"]),
        ("class A:\n    import jobs.pipeline.steps", ["jobs.pipeline.steps"]),
        (
            "def task():\n    from jobs.lake.lake import Lake\n    from jobs.pipeline import steps",
            ["jobs.lake.lake.Lake"],
        ),
        ("if True:\n    from jobs.contractsmith import x", ["jobs.contractsmith.x"]),
    ],
)
def test_a_forbidden_import_is_seen_wherever_it_stands(source: str, modules: list[str]) -> None:
    assert forbidden(source) == modules


@pytest.mark.parametrize("file", DAGS, ids=lambda file: file.name)
def test_dag_file_is_short(file: Path) -> None:
    assert len(file.read_text("utf-8").splitlines()) <= MOST_LINES


def blocks(file: Path) -> Iterator[Function]:
    """Functions and methods of a file, with those inside others."""
    for block in cc_visit(file.read_text("utf-8")):
        if not isinstance(block, Class):
            yield block
            yield from block.closures


def test_no_function_is_more_complex_than_a_reader_follows() -> None:
    """Counted as radon does: comprehensions and boolean operators are branches too."""
    files = [*(PROJECT / "jobs").rglob("*.py"), *DAGS]
    over = [
        f"{f.relative_to(PROJECT)}:{b.lineno} {b.name} {b.complexity}"
        for f in files
        for b in blocks(f)
        if b.complexity > MOST_COMPLEX
    ]
    assert over == []
