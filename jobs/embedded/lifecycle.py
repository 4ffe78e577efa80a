"""Up, down and status of everything that a laptop runs itself."""

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import filterfalse
from pathlib import Path

from jobs.embedded import airflow, endpoints, kafka, portal, process, s3, spark, sql_service, stream
from jobs.embedded.home import locked, log_file, pid_file, prepare
from jobs.embedded.program import Program, ensure, probe_failure, stop, wait
from jobs.embedded.service import Say, Service, ServiceStatus
from jobs.errors import ServiceUnavailable, SetupError, UserError
from jobs.settings import Settings, load

_ALL = (
    *(s3.SERVICE, spark.SERVICE, kafka.SERVICE, airflow.SERVICE),
    *(sql_service.SERVICE, portal.SERVICE),
    *(stream.STREAM, stream.COLLECTOR),
)
SERVICES = {service.name: service for service in _ALL}
OF_STREAMS = ("kafka", "stream", "collector")
"""Services that only a lake with streams needs."""
HUNG_AFTER_S = 15


def usual_services(settings: Settings) -> tuple[str, ...]:
    """The services that this lake needs: those of streams where a contract has one."""
    from jobs.contracts import load_usable

    has_streams = bool(load_usable(settings.schemas, settings.expectations).streams())
    return tuple(name for name in SERVICES if has_streams or name not in OF_STREAMS)


def up(settings: Settings, services: Sequence[str], say: Say = lambda _: None) -> None:
    """Start these services unless they run already; then `jobs.settings.load` returns their addresses.

    On failure, the processes that this call started are stopped.
    """
    _check_known(services)
    home = settings.home.resolve()
    prepare(home)
    ports = locked(settings.cache / "ports.lock")  # a port is free until its service listens: one start at a time
    with locked(home / "run" / "lock"), ports, _undone_on_failure(home) as fresh:
        ours = [name for name in SERVICES if name in services and not endpoints.is_external(name, home)]
        addresses = endpoints.allocate(home, ours, [name for name in SERVICES if _alive(home, name)])
        settings = endpoints.publish(settings.model_copy(update={"home": home}), addresses)
        load.cache_clear()
        for service, programs in _started([SERVICES[name] for name in ours], settings, fresh, say):
            _await(service, programs, settings, fresh)
            say(f"{service.name}: {service.address(settings)}")
        for name in filterfalse(ours.__contains__, services):
            _check_outside(SERVICES[name], settings, say)


def _check_known(services: Sequence[str]) -> None:
    if unknown := set(services) - set(SERVICES):
        raise UserError(f"Unknown service {', '.join(sorted(unknown))}; there are {', '.join(SERVICES)}.")


@contextmanager
def _undone_on_failure(home: Path) -> Iterator[list[str]]:
    """The list for the names of started processes; they are stopped when the block raises."""
    fresh: list[str] = []
    try:
        yield fresh
    except BaseException:
        stop(fresh, home, grace_s=5)
        raise


def _alive(home: Path, service: str) -> bool:
    records = [process.read(pid_file(home, part)) for part in SERVICES[service].parts]
    return any(record is not None and record.alive() for record in records)


def _started(
    services: Sequence[Service], settings: Settings, fresh: list[str], say: Say
) -> list[tuple[Service, tuple[Program, ...]]]:
    """The services with their programs, all prepared and started at once: none needs another to be prepared."""
    with ThreadPoolExecutor(max_workers=len(SERVICES)) as pool:
        programs = pool.map(lambda service: _start(service, settings, fresh, say), services)
        return list(zip(services, programs, strict=True))


def _start(service: Service, settings: Settings, fresh: list[str], say: Say) -> tuple[Program, ...]:
    service.prepare(settings, say)
    programs = service.programs(settings)
    for program in programs:
        fresh.append(program.name)
        if not ensure(program, settings.home):
            fresh.remove(program.name)
    return programs


def _await(service: Service, programs: tuple[Program, ...], settings: Settings, fresh: list[str]) -> None:
    """Wait until every process of the service answers; one that ran before and hangs or dies is restarted."""
    for program in programs:
        if program.name not in fresh:
            try:
                wait(program, settings.home, HUNG_AFTER_S)
                continue
            except (ServiceUnavailable, SetupError):
                stop([program.name], settings.home, grace_s=5)
                fresh.append(program.name)
                ensure(program, settings.home)
        wait(program, settings.home)
    if any(program.name in fresh for program in programs):
        service.greet(settings)


def _check_outside(service: Service, settings: Settings, say: Say) -> None:
    """Probe an external service, which is never started here."""
    for name, probe in service.parts.items():
        program = Program(name, (), service.address(settings), lambda probe=probe: probe(settings))  # type: ignore[misc]
        if failure := probe_failure(program):
            raise ServiceUnavailable(f"{name} at {program.url} (external) does not answer / 无响应: {failure}")
    say(f"{service.name}: {service.address(settings)} (external / 外部服务)")


def down(settings: Settings, say: Say = lambda _: None) -> None:
    """Stop everything that `up` started in this home, including child processes; the data stays."""
    home = settings.home.resolve()
    if not (home / "run").is_dir():
        return
    with locked(home / "run" / "lock"):
        for service in reversed(SERVICES.values()):
            for name in stop(service.parts, home):
                say(f"{name}: stopped / 已停止")
        process.kill_all(home)
        endpoints.endpoints_file(home).unlink(missing_ok=True)
        load.cache_clear()


def status(settings: Settings) -> tuple[ServiceStatus, ...]:
    """Current status of each process."""
    home = settings.home.resolve()
    return tuple(
        _status(service, name, probe, settings.model_copy(update={"home": home}))
        for service in SERVICES.values()
        for name, probe in service.parts.items()
    )


def _status(service: Service, name: str, probe: Callable[[Settings], None], settings: Settings) -> ServiceStatus:
    home = settings.home
    if endpoints.is_external(service.name, home):
        return ServiceStatus(name, "outside", None, service.address(settings), "", 0)
    record = process.read(pid_file(home, name))
    log = str(log_file(home, name))
    if record is None or not record.alive():
        return ServiceStatus(name, "stopped", None, "", log, 0)
    is_healthy = probe_failure(Program(name, (), record.url, lambda: probe(settings))) is None
    memory = process.memory_mib(process.members(home, name, record))
    return ServiceStatus(name, "running" if is_healthy else "unhealthy", record.pid, record.url, log, memory)
