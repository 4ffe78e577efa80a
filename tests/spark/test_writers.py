"""Two Spark drivers and two clients write one table at once, killed at random: nothing is lost, nothing is doubled."""

import os
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from deltalake import write_deltalake

from jobs.lake.delta_writing import storage_options
from jobs.lake.lake import Lake
from jobs.lake.zones import TablePath, Zone
from tests.dags.programs import lake_environ
from tests.spark.writer import SCHEMA

CLIENT, DRIVER = 70, 30
"""Commits of a client and of a driver: 200 in all."""


@dataclass
class Writer:
    """A process that commits rows one by one; killed in the midst of some, it goes on behind the row that it had begun."""

    kind: str
    name: str
    commits: int
    killed_at: set[int]
    begun: list[int] = field(default_factory=list)
    acknowledged: list[int] = field(default_factory=list)

    def run(self, url: str, environ: dict[str, str], folder: Path) -> None:
        """Write all rows, with as many processes as it takes."""
        while len(self.begun) < self.commits:
            command = [sys.executable, "-m", "tests.spark.writer", self.kind, url, self.name]
            command += [str(len(self.begun)), str(self.commits - 1)]
            log = folder / f"{self.name}.log"
            with log.open("ab") as errors, subprocess.Popen(command, env=environ, stdout=-1, stderr=errors) as process:
                self._follow(process)
            assert process.returncode in (0, -9), log.read_text("utf-8")[-3000:]

    def _follow(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stdout is not None
        for line in process.stdout:
            word, number = line.split()
            (self.begun if word == b"begin" else self.acknowledged).append(int(number))
            if word == b"begin" and int(number) in self.killed_at:
                process.kill()


def test_writers_of_both_kinds_lose_and_double_nothing(lake: Lake, tmp_path: Path) -> None:
    path = lake.path(Zone.RESULTS, "race")
    write_deltalake(path.delta_url, SCHEMA.empty_table(), storage_options=storage_options(lake.settings))
    random = Random(13)
    clients = [Writer("client", f"client-{n}", CLIENT, set(random.sample(range(1, CLIENT), 3))) for n in range(2)]
    driver = Writer("spark", "driver", DRIVER, {random.randrange(5, DRIVER)})
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SPARK_")}  # set by a session
    environ |= lake_environ(lake.settings)
    with ThreadPoolExecutor(4) as pool:
        runs = [pool.submit(one.run, path.delta_url, environ, tmp_path) for one in (*clients, driver)]
        runs.append(pool.submit(_write_by_server, lake, path))
        for run in runs:
            run.result()
    rows = Counter((row["writer"], row["number"]) for row in _table(lake, path).to_pyarrow_table().to_pylist())
    for one in (*clients, driver):
        ours = {number for name, number in rows if name == one.name}
        assert set(one.acknowledged) <= ours <= set(one.begun) == set(range(one.commits))
        assert len(one.begun) - len(one.acknowledged) <= len(one.killed_at)
    assert {number for name, number in rows if name == "server"} == set(range(DRIVER))
    assert set(rows.values()) == {1}
    _assert_whole_history(lake, path, commits=sum(rows.values()))


def _write_by_server(lake: Lake, path: TablePath) -> None:
    """Commits by the driver that all tests share."""
    for number in range(DRIVER):
        rows = lake.spark.createDataFrame([("server", number)], "writer string, number bigint")
        rows.coalesce(1).write.format("delta").mode("append").save(path.spark_url)


def _assert_whole_history(lake: Lake, path: TablePath, commits: int) -> None:
    """Each version has one log file, and every commit is of one row."""
    log = [one.key for one in lake.store.list(f"{path.key}/_delta_log/") if one.key.endswith(".json")]
    numbers = sorted(int(Path(key).stem) for key in log if Path(key).stem.isdigit())
    assert numbers == list(range(commits + 1))
    assert _table(lake, path).version() == commits


def _table(lake: Lake, path: TablePath):
    table = lake.delta.open(path)
    assert table is not None
    return table
