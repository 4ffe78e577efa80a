"""A lake of its own whose processes are killed by their id, and started again."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

import psutil

from jobs import embedded
from jobs.embedded import process
from jobs.embedded.endpoints import HOST, USUAL, free_port, write_env
from jobs.embedded.home import log_file, pid_file, prepare
from jobs.embedded.lifecycle import SERVICES
from jobs.embedded.program import Program, ensure, stop
from jobs.settings import PROJECT, Settings, load

OTHERS = ("spark", "kafka", "collector", "stream")
WORKER = "worker"
"""The process of the engine that writes batches; the engine starts it."""
LOOK_S = 0.5
FIRST_PORT, PORTS, PORTS_EACH = 20_000, 10_000, 20
"""Below those that the kernel gives to clients: a port stays free while its service is down."""


class Services:
    """The services, each started again as soon as it is dead, unless it is held down."""

    def __init__(self, folder: Path, slow_ms: int, may_be_full: bool = False) -> None:
        self._folder, self._slow_ms, self._may_be_full = folder, slow_ms, may_be_full
        self._full = folder / "full"
        self._held: set[str] = set()
        self._ports: list[int] = []
        self._programs: dict[str, tuple[Program, Path]] = {}
        self._proxy: subprocess.Popen[bytes] | None = None
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Settings:
        """Start all; the settings of the lake. S3 has a home of its own, so that a proxy may stand before it."""
        for name in [name for name in os.environ if name.startswith("LAKE_") and name != "LAKE_CACHE"]:
            del os.environ[name]
        store = self._up("store", ("s3",))
        for name in ("s3_access_key", "s3_secret_key"):
            value = getattr(store, name)
            os.environ[f"LAKE_{name.upper()}"] = value if isinstance(value, str) else value.get_secret_value()
        os.environ["LAKE_S3_ENDPOINT"] = self._before(store)
        os.environ |= {f"LAKE_{n.upper()}": str(self._folder / n) for n in ("schemas", "expectations")}
        settings = self._up("lake", OTHERS)
        os.environ["LAKE_HOME"] = str(settings.home)
        self._thread.start()
        return settings

    def __exit__(self, *_: object) -> None:
        """Stop all, also what is held down."""
        self._stopped.set()
        self._thread.join()
        for name in ("lake", "store"):
            embedded.down(load(self._folder / name), lambda _: None)
        if self._proxy is not None:
            self._proxy.kill()
            self._proxy.wait()

    def _up(self, name: str, services: Sequence[str]) -> Settings:
        home = self._folder / name
        prepare(home)
        addresses = {key: usual for service in services for key, usual in USUAL[service].items()}
        own = {key: f"{usual.partition(':')[0]}://{HOST}:{self._port()}" for key, usual in addresses.items()}
        write_env(home / "endpoints.env", own)
        load.cache_clear()
        embedded.up(load(home), services, lambda _: None)
        load.cache_clear()
        settings = load(home)
        for service in services:
            (program,) = SERVICES[service].programs(settings)
            self._programs[service] = (program, settings.home)
        return settings

    def _before(self, store: Settings) -> str:
        """The address at which the lake sees the S3 server."""
        if not self._slow_ms and not self._may_be_full:
            return store.s3_endpoint
        port = self._port()
        words = (str(port), store.s3_endpoint.rpartition(":")[2], str(self._slow_ms), str(self._full))
        self._proxy = subprocess.Popen((sys.executable, "-m", "tests.soak.s3_proxy", *words), cwd=PROJECT)
        return f"http://{HOST}:{port}"

    def _port(self) -> int:
        """A free port that other lakes of this machine do not prefer."""
        first = FIRST_PORT + os.getpid() * PORTS_EACH % PORTS
        self._ports.append(free_port(range(first, first + PORTS_EACH), self._ports))
        return self._ports[-1]

    def kill(self, name: str) -> bool:
        """SIGKILL the process and hold the service down; False where it does not run. The worker comes back by itself."""
        pids = self._workers() if name == WORKER else self._leader(name)
        if name != WORKER:
            self._held.add(name)
        process.send(pids, signal.SIGKILL)
        return bool(pids)

    def start_again(self, name: str) -> None:
        """Let the service come back."""
        self._held.discard(name)

    def fill(self) -> None:
        """The disk of the S3 server has no space any more."""
        self._full.touch()

    def free(self) -> None:
        """It has space again."""
        self._full.unlink()

    def end(self, name: str) -> None:
        """Stop a service in the usual way, and hold it down."""
        self._held.add(name)
        stop([name], self._programs[name][1])

    def _leader(self, name: str) -> list[int]:
        record = process.read(pid_file(self._programs[name][1], name))
        return [record.pid] if record is not None and record.alive() else []

    def _workers(self) -> list[int]:
        members = process.members(self._programs["spark"][1], "spark")
        return [pid for pid in members if "foreach_batch_worker" in _command(pid)]

    def _watch(self) -> None:
        while not self._stopped.wait(LOOK_S):
            for name, (program, home) in self._programs.items():
                if name not in self._held and not self._leader(name):
                    _keep_log(home, name)
                    ensure(program, home)


def _command(pid: int) -> str:
    try:
        return " ".join(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ""


def _keep_log(home: Path, name: str) -> None:
    """Append the log of the process that died to one of all its lives."""
    source = log_file(home, name)
    if source.exists():
        with source.with_suffix(".all.log").open("ab") as kept:
            kept.write(source.read_bytes())
