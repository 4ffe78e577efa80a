"""Seconds that an author waits: for a proposal from a new file, and for the check of 500 contracts with their suites."""

import csv
import os
import random
import re
import shutil
import subprocess
import sys
from itertools import cycle, islice
from pathlib import Path

from jobs.settings import PROJECT
from tests.bench.common import Measures, stopwatch

COUNT, ROUNDS = 500, 3
ROWS, COLUMNS, SEED = 20_000, 12, 7
PEER = """
import json, sys
from importlib.resources import files
from pathlib import Path
import yaml
from jsonschema import Draft201909Validator
schema = json.loads(files("open_data_contract_standard").joinpath("schema.json").read_text("utf-8"))
validator = Draft201909Validator(schema)
for kind in ("sources", "products"):
    for file in Path(sys.argv[1], kind).rglob("*.yaml"):
        validator.validate(yaml.load(file.read_text("utf-8"), yaml.CSafeLoader))
"""
"""The least that another program does: PyYAML's C parser, and the standard's JSON Schema by jsonschema."""


def measure(folder: Path, measures: Measures) -> None:
    """The best of three rounds each, in processes of their own as people start them."""
    env = os.environ | variants(folder, COUNT)
    proposed = _rounds(env, "new", str(_feed(folder / "feed.csv")))
    measures.say("contracts_new_s", min(proposed), "≤ 2", f"{ROWS:,} rows × {COLUMNS}; {_listed(proposed)}")
    checked = _rounds(env, "check")
    measures.say("contracts_check_500_s", min(checked), "≤ 3", f"{COUNT} contracts; {_listed(checked)}")
    peer = _seconds(env, "-c", PEER, env["LAKE_SCHEMAS"])
    note = f"beside PyYAML and jsonschema on the same contracts without their suites, {peer:.1f} s"
    measures.say("contracts_check_ratio", min(checked) / peer, "< 1", note)


def variants(folder: Path, count: int) -> dict[str, str]:
    """The shipped contracts with their suites, and so many variants that they are `count`; settings that name them."""
    schemas, suites = folder / "schemas", folder / "expectations"
    shutil.copytree(PROJECT / "schemas", schemas)
    shutil.copytree(PROJECT / "expectations", suites)
    shipped = sorted(file for kind in ("sources", "products") for file in (schemas / kind).rglob("*.yaml"))
    for number, file in enumerate(islice(cycle(shipped), count - len(shipped))):
        name, suite = f"{file.stem}_v{number:03d}", suites / file.relative_to(schemas)
        for original in filter(Path.exists, (file, suite)):
            text = re.sub(rf"\b{file.stem}\b", name, original.read_text("utf-8"))  # what it refers to stays
            original.with_name(f"{name}.yaml").write_text(text, "utf-8")
    return {"LAKE_SCHEMAS": str(schemas), "LAKE_EXPECTATIONS": str(suites)}


def _feed(file: Path) -> Path:
    """A file of codes, words, times and readings."""
    rng = random.Random(SEED)
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["编号", "时间", "状态", *(f"读数{n}" for n in range(COLUMNS - 3))])
        for row in range(ROWS):
            at = f"2026-01-{row % 28 + 1:02d} {row % 24:02d}:{row % 60:02d}:00"
            readings = [f"{rng.uniform(0, 100):.2f}" for _ in range(COLUMNS - 3)]
            writer.writerow([f"D{row:06d}", at, rng.choice(("正常", "停用", "检修")), *readings])
    return file


def _rounds(env: dict[str, str], command: str, *words: str) -> list[float]:
    """Seconds of `lake contracts …` in each round."""
    names = (("--dataset", f"proposed_{number}") if command == "new" else () for number in range(ROUNDS))
    return [_seconds(env, "-m", "jobs.cli", "contracts", command, *words, *name) for name in names]


def _seconds(env: dict[str, str], *words: str) -> float:
    with stopwatch(" ".join(words[2:4])) as spent:
        subprocess.run([sys.executable, *words], env=env, cwd=PROJECT, check=True, stdout=subprocess.DEVNULL)
    return spent[0]


def _listed(rounds: list[float]) -> str:
    return f"rounds {', '.join(f'{seconds:.1f}' for seconds in rounds)} s"
