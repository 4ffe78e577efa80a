"""One server process: start it, wait until it answers, stop it with its child processes."""

import hashlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from jobs.embedded import process
from jobs.embedded.home import log_file, pid_file, tail, write_private
from jobs.errors import ServiceUnavailable, SetupError
from jobs.settings import PROJECT

_OURS = ("LAKE_", "AIRFLOW", "SPARK_", "PYSPARK_")
_LOOPBACK = "127.0.0.1,localhost"
# Referenced so that Python does not warn about a child process that outlives this one.
_children: list[subprocess.Popen[bytes]] = []


@dataclass(frozen=True)
class Program:
    """What to run, and how to check that it works."""

    name: str
    command: tuple[str, ...]
    url: str
    probe: Callable[[], None]
    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[Path, str] = field(default_factory=dict)
    patience_s: int = 90

    def fingerprint(self) -> str:
        """A hash of the program's definition; `up` restarts the program when it changes."""
        parts = [self.command, self.url, sorted(self.env.items()), sorted((str(k), v) for k, v in self.files.items())]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """The environment of a server: the inherited one without the lake's own variables, then `extra`."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(_OURS)}
    no_proxy = ",".join(filter(None, (inherited.get("no_proxy") or inherited.get("NO_PROXY"), _LOOPBACK)))
    return inherited | {"PYTHONPATH": str(PROJECT), "no_proxy": no_proxy, "NO_PROXY": no_proxy} | dict(extra)


def ensure(program: Program, home: Path) -> bool:
    """True when this call started the program; False where it runs already in this version."""
    record = process.read(pid_file(home, program.name))
    if record and record.alive() and record.fingerprint == program.fingerprint():
        return False
    stop([program.name], home)
    _launch(program, home)
    return True


def _launch(program: Program, home: Path) -> None:
    for path, text in program.files.items():
        write_private(path, text)
    env = environment(program.env) | {process.MARK: process.mark(home, program.name)}
    log_path = log_file(home, program.name)
    if log_path.exists():
        log_path.replace(log_path.with_suffix(".previous.log"))
    with log_path.open("wb") as log:
        try:
            child = subprocess.Popen(
                program.command, env=env, cwd=home, start_new_session=True,
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except OSError as error:
            raise SetupError(f"Cannot start {program.name}: {error}") from error
    _children.append(child)
    started = process.started_at(child.pid) or 0
    record = process.Record(child.pid, started, process.boot_id(), program.fingerprint(), program.url)
    process.write(pid_file(home, program.name), record)


def wait(program: Program, home: Path, patience_s: float | None = None) -> None:
    """Return when the program answers; raise with the end of its log when it exited or does not answer."""
    deadline = time.monotonic() + (patience_s or program.patience_s)
    while True:
        failure = probe_failure(program)
        if failure is None:
            return
        record = process.read(pid_file(home, program.name))
        if record is None or not record.alive():
            raise SetupError(_complaint(program, home, "exited during startup / 启动时退出"))
        if time.monotonic() > deadline:
            raise ServiceUnavailable(_complaint(program, home, f"does not answer / 无响应: {failure}"))
        time.sleep(0.2)


def probe_failure(program: Program) -> str | None:
    """Why the program does not answer; None when it does."""
    try:
        program.probe()
    except Exception as error:  # each client library raises its own error types
        return f"{type(error).__name__}: {error}"
    return None


def _complaint(program: Program, home: Path, problem: str) -> str:
    log = log_file(home, program.name)
    return f"{program.name} {problem}. Log / 日志: {log}\n{tail(log)}"


def stop(names: Iterable[str], home: Path, grace_s: float = 20) -> list[str]:
    """Names of the services that were running; they are stopped with all their child processes."""
    names = list(names)
    records = {name: record for name in names if (record := process.read(pid_file(home, name)))}
    running = [name for name in names if process.members(home, name, records.get(name))]
    leaders = _leaders(running, records)
    process.send(leaders, signal.SIGTERM)
    if not _gone(running, home, records, grace_s if leaders else 0):
        _kill(running, home, records)
    for name in names:
        pid_file(home, name).unlink(missing_ok=True)
    return running


def _leaders(names: list[str], records: Mapping[str, process.Record]) -> list[int]:
    """The first processes of services that are still alive; each stops its own children."""
    return [records[name].pid for name in names if name in records and records[name].alive()]


def _kill(names: list[str], home: Path, records: Mapping[str, process.Record]) -> None:
    """Kill the remaining processes repeatedly, since a dying process may still start children."""
    for _ in range(5):
        for name in names:
            process.send(process.members(home, name, records.get(name)), signal.SIGKILL)
        if _gone(names, home, records, 5):
            return
    raise ServiceUnavailable(f"Cannot stop {', '.join(names)}.")


def _gone(names: list[str], home: Path, records: Mapping[str, process.Record], grace_s: float) -> bool:
    """Whether all processes of these services ended within the grace period; children of a dead leader get none."""
    deadline = time.monotonic() + grace_s
    while any(process.members(home, name, records.get(name)) for name in names):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
