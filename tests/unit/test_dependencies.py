"""What the project says that it needs is what its lock files install."""

import ast
import re
import sys
import tomllib
from collections.abc import Sequence
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from jobs.settings import PROJECT

INFRA = PROJECT / "infra"
DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]
OWN = {
    "jobs",
    "tests",
    *(file.stem for folder in ("dags", "docs", "infra") for file in (PROJECT / folder).rglob("*.py")),
}
GROUPS = [
    pytest.param(DECLARED["dependencies"], "requirements", id="runtime"),
    pytest.param(DECLARED["optional-dependencies"]["dev"], "requirements-dev", id="dev"),
]


def wanted(file: Path) -> dict[str, Requirement]:
    lines = [line for line in file.read_text("utf-8").splitlines() if line and not line.startswith(("-", "#"))]
    return {canonicalize_name(r.name): r for r in map(Requirement, lines)}


def locked(file: Path) -> dict[str, Version]:
    pins = re.findall(r"^([\w.-]+)(?:\[[\w,-]+\])?==(\S+)", file.read_text("utf-8"), re.M)
    return {canonicalize_name(name): Version(version) for name, version in pins}


@pytest.mark.parametrize(("declared", "name"), GROUPS)
def test_project_names_what_the_requirements_name_with_the_same_extras(declared: list[str], name: str) -> None:
    project = {canonicalize_name(r.name): r.extras for r in map(Requirement, declared)}
    assert project == {key: r.extras for key, r in wanted(INFRA / f"{name}.in").items()}


@pytest.mark.parametrize(("declared", "name"), GROUPS)
def test_each_lower_bound_allows_what_is_locked(declared: list[str], name: str) -> None:
    pins = locked(INFRA / f"{name}.txt")
    for requirement in map(Requirement, declared):
        assert any(bound.operator == ">=" for bound in requirement.specifier), requirement.name
        assert requirement.url is None and pins[canonicalize_name(requirement.name)] in requirement.specifier


def imported(folders: Sequence[str]) -> set[str]:
    """Packages that the code in these folders imports."""
    trees = [ast.parse(file.read_text("utf-8")) for folder in folders for file in (PROJECT / folder).rglob("*.py")]
    nodes = [node for tree in trees for node in ast.walk(tree)]
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module and not node.level}
    return {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - OWN


@pytest.mark.parametrize(
    ("folders", "groups"),
    [(["jobs"], ["requirements"]), (["tests", "dags"], ["requirements", "requirements-dev"])],
    ids=["jobs", "tests"],
)
def test_every_package_that_the_code_imports_is_named(folders: Sequence[str], groups: Sequence[str]) -> None:
    declared = {name for group in groups for name in wanted(INFRA / f"{group}.in")}
    owners = packages_distributions()
    packages = sorted(imported(folders))
    assert [p for p in packages if not declared & {canonicalize_name(o) for o in owners.get(p, ())}] == []
