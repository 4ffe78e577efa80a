"""Processes that outlive their parent: which are alive, to which service they belong, their memory. Linux only.

A process id alone proves nothing, because the kernel reuses it; the pair of id and start time does.
"""

import json
import os
import signal
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

PROC = Path("/proc")
MARK = "LAKE_PROCESS"


@dataclass(frozen=True)
class Record:
    """Contents of a pid file."""

    pid: int
    started: int
    boot: str
    fingerprint: str
    url: str

    def alive(self) -> bool:
        """Whether the recorded process still runs; false for another process that reuses its id."""
        return self.boot == boot_id() and started_at(self.pid) == self.started


def boot_id() -> str:
    """An id that changes with every boot of the machine."""
    return (PROC / "sys/kernel/random/boot_id").read_text().strip()


def started_at(pid: int) -> int | None:
    """Start of a living process, in clock ticks since boot; None for a dead one or a zombie.

    A killed process whose threads have not all ended counts as living: it may hold its port.
    """
    try:
        process = psutil.Process(pid)
        if process.status() in (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD) and process.num_threads() <= 1:
            return None
        # psutil reports the start by the wall clock, which may be set while a service runs; kernel ticks do not change.
        return int((PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()[19])
    except (psutil.NoSuchProcess, OSError):
        return None


def write(path: Path, record: Record) -> None:
    """Write the pid file atomically."""
    part = path.with_suffix(".part")
    part.write_text(json.dumps(asdict(record)))
    part.replace(path)


def read(path: Path) -> Record | None:
    """The pid file, or None where there is none that can be read."""
    try:
        return Record(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def mark(home: Path, name: str = "") -> str:
    """The environment marker of each process of a home, or of one of its services."""
    return f"{home}#{name}"


def members(home: Path, name: str = "", record: Record | None = None) -> list[int]:
    """Living processes of a service (of the whole home without a name), identified by their marker or their session.

    The session is checked too because a process that renames itself overwrites its environment.
    """
    marker = mark(home, name)
    session = record.pid if record and record.boot == boot_id() and _may_lead(record) else None
    return [pid for pid in _own_processes() if _session(pid) == session or _carries(pid, marker, is_exact=bool(name))]


def _may_lead(record: Record) -> bool:
    """Whether the session id is still ours: the leader lives, or it died and no other process reuses its id."""
    return started_at(record.pid) in (None, record.started)


def _own_processes() -> Iterator[int]:
    for pid in psutil.pids():
        if pid != os.getpid() and started_at(pid) is not None:
            yield pid


def _session(pid: int) -> int:
    try:
        return os.getsid(pid)
    except OSError:
        return -1


def _carries(pid: int, marker: str, is_exact: bool) -> bool:
    try:
        value = psutil.Process(pid).environ().get(MARK, "")
    except psutil.Error:
        return False
    return value == marker if is_exact else value.startswith(marker)


def memory_mib(pids: list[int]) -> int:
    """Memory of these processes together, shared pages counted once (PSS), in MiB."""
    return sum(_pss(pid) for pid in pids) >> 20


def _pss(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_full_info().pss)
    except psutil.Error:
        return 0


def send(pids: list[int], number: signal.Signals) -> None:
    """Send a signal to each of these processes that is still alive."""
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(pid).send_signal(number)


def kill_all(home: Path) -> None:
    """Kill every process with this home's marker, including those without a pid file."""
    while pids := members(home):
        send(pids, signal.SIGKILL)
