"""The jars that set-up downloads: which ones, and what happens to a forged, a missing and an unknown one."""

import hashlib
import runpy
import xml.etree.ElementTree as Xml
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from jobs.embedded import engine_code, ivy, jar_lock, jars
from jobs.embedded.ivy import Ivy
from jobs.embedded.jar_lock import CONFIGURATIONS, Jar
from jobs.errors import SetupError
from jobs.settings import PROJECT, Settings

CONTENT = b"a library"
JAR = Jar("s3", "org.example", "server", "1.0", hashlib.sha256(CONTENT).hexdigest())
OTHER = replace(JAR, configuration="spark", module="client")


def put(folder: Path, jar: Jar, content: bytes = CONTENT) -> None:
    file = folder / jar.path()
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)


@pytest.fixture
def two_jars(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Settings of a cache without jars; the lock file lists two, and the log store needs no compiler."""
    lock = tmp_path / "jars.sha256"
    jar_lock.write([OTHER, JAR], lock)
    monkeypatch.setattr(jar_lock, "FILE", lock)
    monkeypatch.setattr(engine_code, "build", lambda *_: None)
    return Settings(cache=tmp_path / "cache")


def repository(monkeypatch: pytest.MonkeyPatch, contents: Iterable[bytes | None]) -> list[int]:
    """A repository that answers each attempt with these bytes for a jar, or fails; and what it was asked for."""
    answers, asked = iter(contents), []

    def download(self: Ivy, listed: tuple[Jar, ...], target: Path) -> bool:
        asked.append(len(listed))
        content = next(answers)
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.log.write_text("no answer\n")
        put(self.cache, JAR)
        for jar in listed if content is not None else ():
            put(target, jar, content)
        return content is not None

    monkeypatch.setattr(Ivy, "download", download)
    return asked


def test_jars_with_their_hashes_are_kept_and_downloaded_once(
    two_jars: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, said = repository(monkeypatch, [CONTENT]), list[str]()
    folder = jars.ensure_jars(two_jars, said.append)
    assert jars.ensure_jars(two_jars, said.append) == folder == jars.jars_folder(two_jars)
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.jar")) == [JAR.path(), OTHER.path()]
    assert asked == [2] and len(said) == 1
    assert not (two_jars.cache / "downloads").exists()


def test_forged_jar_is_refused_by_name_in_both_languages_and_nothing_is_kept(
    two_jars: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = repository(monkeypatch, [b"a forgery"])
    with pytest.raises(SetupError, match=r"Wrong jar: s3/server-1\.0\.jar .* / Java 依赖 s3/server-1\.0\.jar"):
        jars.ensure_jars(two_jars, lambda _: None)
    assert asked == [2]
    assert [path for path in two_jars.cache.rglob("*") if path.suffix == ".jar"] == []
    assert not jars.jars_folder(two_jars).exists()


def test_failed_download_is_tried_again_and_goes_on_where_it_stopped(
    two_jars: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = repository(monkeypatch, [None, CONTENT])
    assert jars.ensure_jars(two_jars, lambda _: None).is_dir()
    assert asked == [2, 2]


def test_download_that_keeps_failing_is_an_error_that_shows_the_log(
    two_jars: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = repository(monkeypatch, [None] * jars.TRIES)
    with pytest.raises(SetupError, match=r"(?s)could not be downloaded / .*no answer"):
        jars.ensure_jars(two_jars, lambda _: None)
    assert asked == [2] * jars.TRIES
    assert (two_jars.cache / "downloads" / JAR.path()).exists()


def test_missing_jar_is_named(tmp_path: Path) -> None:
    put(tmp_path, JAR)
    with pytest.raises(SetupError, match=r"Missing jar: spark/client-1\.0\.jar .* / 缺少 Java 依赖 spark/client-1"):
        jar_lock.verify(tmp_path, [JAR, OTHER])


def test_jar_that_is_not_listed_is_named(tmp_path: Path) -> None:
    put(tmp_path, JAR)
    put(tmp_path, OTHER)
    with pytest.raises(SetupError, match=r"Unknown jar: .* does not list spark/client-1\.0\.jar / .*client-1"):
        jar_lock.verify(tmp_path, [JAR])


def test_lock_file_that_was_written_is_read(tmp_path: Path) -> None:
    file = tmp_path / "jars.sha256"
    jar_lock.write([OTHER, JAR], file)
    assert jar_lock.locked(file) == (JAR, OTHER)


@pytest.mark.parametrize("line", ["", "server-1.0.jar", f"{JAR.sha256}  other  org.example:server:1.0"])
def test_line_that_names_no_jar_is_named(tmp_path: Path, line: str) -> None:
    file = tmp_path / "jars.sha256"
    file.write_text(f"{jar_lock.HEAD}{line}\n", "utf-8")
    with pytest.raises(SetupError, match=r"jars\.sha256:2: .*make lock"):
        jar_lock.locked(file)


def test_ivy_is_asked_for_exactly_the_listed_jars() -> None:
    asked = [dict(element.attrib) for element in Xml.fromstring(ivy.document([JAR, OTHER])).iter("dependency")]
    assert asked == [
        {"org": jar.organisation, "name": jar.module, "rev": jar.revision, "transitive": "false"}
        | {"conf": f"{jar.configuration}->default"}
        for jar in (JAR, OTHER)
    ]


def test_lock_file_holds_each_library_that_is_asked_for_once() -> None:
    listed = jar_lock.locked(jar_lock.FILE)
    revisions = {(jar.configuration, jar.organisation, jar.module): jar.revision for jar in listed}
    assert {jar.configuration for jar in listed} == set(CONFIGURATIONS)
    assert len(revisions) == len(listed)
    for wanted in Xml.parse(ivy.WANTED).iter("dependency"):
        configuration = wanted.attrib["conf"].partition("->")[0]
        assert revisions[configuration, wanted.attrib["org"], wanted.attrib["name"]] == wanted.attrib["rev"]


def test_server_of_s3_has_what_it_loads_and_nothing_of_other_clouds() -> None:
    loaded = {jar.module for jar in jar_lock.locked(jar_lock.FILE) if jar.configuration == "s3"}
    assert len(loaded) == 20
    assert not [name for name in loaded if name.startswith(("azure", "google", "openstack", "sshd", "opentelemetry"))]


def test_setup_looks_for_the_jars_where_they_are() -> None:
    install = runpy.run_path(str(PROJECT / "infra" / "install.py"))
    assert install["jars_folder"]().name == jars.jars_folder(Settings()).name
