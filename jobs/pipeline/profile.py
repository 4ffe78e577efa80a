"""A curated table profiled: a page to read, and proposed rules as a diff of the suite to review."""

import difflib
import textwrap
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from jobs.contracts import Registry
from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.reporting import write_profile
from jobs.reporting.profile_page import ProfiledTable


@dataclass(frozen=True)
class DatasetProfile:
    """Key of the page in the object store, and the diff; empty where nothing is proposed."""

    page: str
    diff: str


def profile(lake: Lake, registry: Registry, dataset: str, with_series: bool = False) -> DatasetProfile:
    """The dataset's newest curated rows, field by field, and as readings in time. The suite itself is not touched."""
    from jobs.quality.profile import profile as profiled
    from jobs.quality.profile import proposed
    from jobs.quality.series_profile import series_rules

    contract = registry.contract(dataset)
    zone = Zone.GOLD if contract.kind == "product" else Zone.SILVER
    path = lake.path(zone, dataset)
    version = lake.delta.version(path)
    if version is None:
        raise UserError(f"no table {path} yet; `lake tables` lists those that exist")
    rows, rules = lake.tables.read(path, version), registry.rules[dataset]
    profiles = profiled(rows, contract)
    entries = [*proposed(profiles, rules), *(series_rules(rows, contract, rules) if with_series else ())]
    diff = _diff(lake, contract.file, dataset, entries)
    profiled_table = ProfiledTable(str(path), version, datetime.now(UTC))
    return DatasetProfile(write_profile(lake, contract, profiles, profiled_table, diff), diff)


def _diff(lake: Lake, contract_file: Path, dataset: str, entries: list[dict[str, Any]]) -> str:
    if not entries:
        return ""
    suite = lake.settings.expectations / contract_file.relative_to(lake.settings.schemas)
    before = suite.read_text("utf-8") if suite.is_file() else f"name: {dataset}\nexpectations:\n"
    proposal = yaml.safe_dump(entries, allow_unicode=True, sort_keys=False, width=110)
    after = before.rstrip("\n") + "\n" + textwrap.indent(proposal, "  ")
    name = f"expectations/{contract_file.relative_to(lake.settings.schemas).as_posix()}"
    lines = difflib.unified_diff(
        before.splitlines(keepends=True) if suite.is_file() else [],
        after.splitlines(keepends=True),
        f"a/{name}" if suite.is_file() else "/dev/null",
        f"b/{name}",
    )
    return "".join(lines)
