"""The embedded services without starting any: who is alive, which port, what is written where."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from jobs import embedded
from jobs.embedded import endpoints, java, process, program
from jobs.embedded.home import pid_file, prepare
from jobs.errors import ServiceUnavailable, SetupError, UserError
from jobs.settings import Settings, load


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for variable in [key for key in os.environ if key.startswith("LAKE_") and key != "LAKE_CACHE"]:
        monkeypatch.delenv(variable)
    prepare(tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        yield child
        child.kill()


def record_of(pid: int, started: int | None = None, boot: str | None = None) -> process.Record:
    return process.Record(pid, started or process.started_at(pid) or 0, boot or process.boot_id(), "", "")


def server(home: Path, code: str, name: str = "toy") -> program.Program:
    """A program whose probe passes once it has written a file."""
    ready = home / f"{name}.ready"
    code = code.replace("READY", f"open({str(ready)!r}, 'w').close()")
    return program.Program(name, (sys.executable, "-c", code), "", lambda: ready.open().close(), patience_s=20)


def test_process_with_its_recorded_start_time_is_alive(sleeper: subprocess.Popen[bytes]) -> None:
    assert record_of(sleeper.pid).alive()


def test_stranger_with_a_reused_process_id_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    started = process.started_at(sleeper.pid)
    assert started is not None
    assert not record_of(sleeper.pid, started=started - 1).alive()


def test_process_of_another_boot_is_not_alive(sleeper: subprocess.Popen[bytes]) -> None:
    assert not record_of(sleeper.pid, boot="another").alive()


def test_stop_leaves_a_stranger_with_a_reused_process_id_alone(home: Path, sleeper: subprocess.Popen[bytes]) -> None:
    process.write(pid_file(home, "s3"), record_of(sleeper.pid, started=1))
    assert program.stop(["s3"], home) == []
    assert sleeper.poll() is None
    assert not pid_file(home, "s3").exists()


def test_broken_pid_file_counts_as_none(home: Path) -> None:
    pid_file(home, "s3").write_text("{")
    assert process.read(pid_file(home, "s3")) is None


def test_program_that_runs_is_not_started_twice(home: Path) -> None:
    toy = server(home, "READY; import time; time.sleep(600)")
    assert program.ensure(toy, home)
    program.wait(toy, home)
    assert not program.ensure(toy, home)
    assert program.stop(["toy"], home) == ["toy"]


def test_program_with_another_command_is_restarted(home: Path) -> None:
    first = server(home, "READY; import time; time.sleep(600)")
    second = server(home, "READY; import time; time.sleep(601)")
    program.ensure(first, home)
    before = process.read(pid_file(home, "toy"))
    assert program.ensure(second, home)
    assert before is not None and not before.alive()
    program.stop(["toy"], home)


def test_stop_ends_children_that_ignore_the_polite_signal_and_left_the_session(home: Path) -> None:
    child = "import signal, time; signal.signal(15, signal.SIG_IGN); time.sleep(600)"
    toy = server(
        home,
        f"import subprocess, sys, time\nsubprocess.Popen([sys.executable, '-c', {child!r}], start_new_session=True)\n"
        "READY\ntime.sleep(600)",
    )
    program.ensure(toy, home)
    program.wait(toy, home)
    assert len(process.members(home, "toy")) == 2
    program.stop(["toy"], home, grace_s=0.5)
    assert process.members(home) == []


def test_program_that_dies_is_reported_with_the_end_of_its_log(home: Path) -> None:
    toy = server(home, "raise SystemExit('no such luck')")
    program.ensure(toy, home)
    with pytest.raises(SetupError, match=r"(?s)toy exited.*logs/toy\.log.*no such luck"):
        program.wait(toy, home)


def test_program_that_stays_silent_is_reported_with_its_log(home: Path) -> None:
    toy = server(home, "import time; time.sleep(600)")
    program.ensure(toy, home)
    with pytest.raises(ServiceUnavailable, match=r"logs/toy\.log"):
        program.wait(toy, home, patience_s=0.3)
    program.stop(["toy"], home)


def test_usual_port_is_taken_when_free_and_left_when_not() -> None:
    with socket.socket() as other:
        other.bind((endpoints.HOST, 0))
        other.listen()
        busy = other.getsockname()[1]
        assert endpoints.free_port([busy]) != busy
    assert endpoints.free_port([busy]) == busy


def test_port_given_to_one_service_is_not_given_to_the_next() -> None:
    port = endpoints.free_port([0])
    assert endpoints.free_port([port], used=[port]) != port


def test_living_service_keeps_its_address_though_its_port_is_in_use(home: Path) -> None:
    with socket.socket() as own:
        own.bind((endpoints.HOST, 0))
        own.listen()
        url = f"http://{endpoints.HOST}:{own.getsockname()[1]}"
        endpoints.write_env(endpoints.endpoints_file(home), {"LAKE_S3_ENDPOINT": url})
        assert endpoints.allocate(home, ["s3"], alive=["s3"]) == {"LAKE_S3_ENDPOINT": url}
        assert endpoints.allocate(home, ["s3"], alive=[])["LAKE_S3_ENDPOINT"] != url


def test_published_addresses_and_credentials_are_what_settings_load(home: Path) -> None:
    addresses = endpoints.allocate(home, ["s3", "spark", "airflow"], alive=[])
    made = endpoints.publish(load(home), addresses)
    load.cache_clear()
    found = load(home)
    assert found == made
    assert found.spark_remote.startswith("sc://127.0.0.1:") and found.airflow_url and not found.spark_ui
    assert (
        found.spark_token.get_secret_value()
        and found.s3_secret_key.get_secret_value()
        and found.airflow_password.get_secret_value()
    )


def test_files_with_secrets_are_readable_by_their_owner_alone(home: Path) -> None:
    endpoints.publish(Settings(home=home), endpoints.allocate(home, ["s3"], alive=[]))
    for name in ("endpoints.env", "secrets.env"):
        assert stat.S_IMODE((home / name).stat().st_mode) == 0o600
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


def test_credentials_are_made_once(home: Path) -> None:
    assert endpoints.credentials(home) == endpoints.credentials(home)


def test_service_named_by_the_environment_is_outside_and_not_started(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAKE_S3_ENDPOINT", f"http://127.0.0.1:{endpoints.free_port([0])}")
    load.cache_clear()
    with pytest.raises(ServiceUnavailable, match=r"s3 at http://127.0.0.1"):
        embedded.up(load(home), ["s3"])
    assert process.members(home) == []
    load.cache_clear()
    assert {found.name: found.state for found in embedded.status(load(home))}["s3"] == "outside"


def test_environment_that_repeats_our_own_endpoints_is_not_outside(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoints.write_env(endpoints.endpoints_file(home), {"LAKE_S3_ENDPOINT": "http://127.0.0.1:9800"})
    monkeypatch.setenv("LAKE_S3_ENDPOINT", "http://127.0.0.1:9800")
    assert not endpoints.is_external("s3", home)


def test_unknown_service_is_refused_by_name(home: Path) -> None:
    with pytest.raises(UserError, match="Unknown service printer"):
        embedded.up(Settings(home=home), ["printer"])


def test_nothing_runs_in_a_new_home(home: Path) -> None:
    assert {found.state for found in embedded.status(Settings(home=home))} == {"stopped"}
    embedded.down(Settings(home=home))


def test_old_or_missing_java_is_refused_with_a_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JAVA_HOME", raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SetupError, match=r"no java was found.*openjdk-17-jre-headless"):
        java.find_java()
    fake = tmp_path / "java"
    fake.write_text("#!/bin/sh\necho 'openjdk version \"1.8.0_392\"' >&2\n")
    fake.chmod(0o755)
    with pytest.raises(SetupError, match="is version 8"):
        java.find_java()
