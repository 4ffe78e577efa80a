"""Makes this checkout able to run: a Python environment, the Java libraries, and `.venv/bin/lake`.

The environment and the jars lie in a cache outside the checkout (LAKE_CACHE, default ~/.cache/city-lake), one for
each lock file, shared by all checkouts; `.venv` is a thin layer over it that adds this checkout. Everything is made
once: a second run compares a stamp and ends. Standard library only.
"""
# ruff: noqa: T201, TID251  (runs before there is anything to import)

import argparse
import fcntl
import hashlib
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
INFRA = CHECKOUT / "infra"
VENV = CHECKOUT / ".venv"
CACHE = Path(os.environ.get("LAKE_CACHE") or Path.home() / ".cache" / "city-lake").expanduser().resolve()
PYTHON = (3, 11)
LOCKS = {"runtime": INFRA / "requirements.txt", "dev": INFRA / "requirements-dev.txt"}
TRIES = 3
LAKE = """#!{python}
import sys

from jobs.cli import main

sys.exit(main())
"""


def main():
    """Set up for running, or with --dev for testing too."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dev", action="store_true", help="what the tests and linters need too")
    parser.add_argument("--uv", action="store_true", help="only print the path of uv")
    wanted = parser.parse_args()
    python = find_python()
    if wanted.uv:
        print(make_uv(python))
        return
    kind = "dev" if wanted.dev or made_kind() == "dev" else "runtime"
    if is_ready(kind, python):
        return
    check_java()
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "setup.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        env = make_environment(kind, python)
    make_venv(env, python)
    bring_jars()
    (VENV / "stamp").write_text(stamp(kind, python))
    say(f"Ready: {VENV / 'bin' / 'lake'} / 安装完成")


def say(line):
    print(line, file=sys.stderr, flush=True)


def fail(english, chinese):
    """End with one sentence in each language."""
    sys.exit(f"{english} / {chinese}")


def digest(*parts):
    return hashlib.sha256(b"\0".join(part if isinstance(part, bytes) else str(part).encode() for part in parts))


def find_python():
    """A Python of the right version that can make environments; ours, or another on the PATH."""
    name = ".".join(map(str, PYTHON))
    python = sys.executable if sys.version_info[:2] == PYTHON else shutil.which(f"python{name}")
    if python is None:
        fail(
            f"Python {name} is needed and this is {sys.version.split()[0]}: apt-get install python{name}-venv",
            f"需要 Python {name}，请安装：apt-get install python{name}-venv",
        )
    if sys.platform != "linux":
        fail("The embedded services run on Linux only; use a Linux machine or container", "内置服务仅支持 Linux")
    if subprocess.run([python, "-c", "import venv, ensurepip"], capture_output=True, check=False).returncode:
        fail(f"Python lacks its venv module: apt-get install python{name}-venv", "缺少 venv 模块，请安装上述软件包")
    return python


def check_java():
    """Ask for Java before a long download, not after it."""
    sys.path.insert(0, str(CHECKOUT))
    try:
        runpy.run_path(str(CHECKOUT / "jobs" / "embedded" / "java.py"))["find_java"]()
    except Exception as error:
        if type(error).__name__ != "SetupError":
            raise
        sys.exit(str(error))


def environment_folder(kind, python):
    return CACHE / "envs" / f"{kind}-{digest(LOCKS[kind].read_bytes(), os.path.realpath(python)).hexdigest()[:12]}"


def jars_folder():
    """As jobs.embedded.jars has it."""
    sources = INFRA / "jars.sha256", *sorted((INFRA / "spark").glob("*.scala"))
    return CACHE / "jars" / digest(b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]


def stamp(kind, python):
    """Words that change when anything that the set-up depends on does."""
    key = digest(environment_folder(kind, python), jars_folder(), VENV, Path(__file__).read_bytes()).hexdigest()
    return f"{kind} {key}"


def made_kind():
    """What the last set-up made; a checkout that was set up for testing stays so."""
    made = VENV / "stamp"
    return made.read_text().split()[0] if made.exists() else None


def is_ready(kind, python):
    made = VENV / "stamp"
    return (
        made.exists()
        and made.read_text() == stamp(kind, python)
        and (environment_folder(kind, python) / "compiled").exists()
        and jars_folder().exists()
    )


def run(command, **kwargs):
    """Run to the end; try again when it fails, since what fails here is mostly the network."""
    for attempt in range(1, TRIES + 1):
        if subprocess.run([str(word) for word in command], check=False, **kwargs).returncode == 0:
            return
        say(f"Attempt {attempt} of {TRIES} failed / 第 {attempt} 次失败: {Path(command[0]).name}")
    fail(
        "Set-up did not finish; is the network there? Run it again to go on where it stopped",
        "安装未完成，请检查网络后重试，已下载的内容会保留",
    )


def bring_jars():
    """The Java libraries; the program that downloads them tries again itself, and says what is wrong."""
    code = "from jobs.embedded.jars import main; main()"
    env = os.environ | {"LAKE_CACHE": str(CACHE)}
    if subprocess.run([VENV / "bin" / "python", "-c", code], check=False, cwd=CHECKOUT, env=env).returncode:
        sys.exit(1)


def make_uv(python):
    """Path of uv, the installer, in a small environment of its own."""
    lock = INFRA / "requirements-uv.txt"
    folder = CACHE / "tools" / f"uv-{digest(lock.read_bytes(), os.path.realpath(python)).hexdigest()[:12]}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        run([python, "-m", "venv", folder])
        run([folder / "bin" / "python", "-m", "pip", "install", "-q", "--disable-pip-version-check", "--retries", "5",
             "--require-hashes", "-r", lock])  # fmt: skip
        (folder / "complete").touch()
    return folder / "bin" / "uv"


def uv_settings(python):
    """What pip is told about package index and certificates holds for uv too."""
    env = {"UV_HTTP_TIMEOUT": "120", "UV_PYTHON_DOWNLOADS": "never"}
    asked = subprocess.run(
        [python, "-m", "pip", "config", "get", "global.index-url"], capture_output=True, text=True, check=False
    )
    index = os.environ.get("PIP_INDEX_URL") or asked.stdout.strip()
    if index:
        env["UV_DEFAULT_INDEX"] = index
    if os.environ.get("PIP_CERT"):
        env["SSL_CERT_FILE"] = os.environ["PIP_CERT"]
    return env | dict(os.environ)


def make_environment(kind, python):
    """The shared environment of a lock file; a half made one is made again.

    Its modules are compiled now: where PYTHONDONTWRITEBYTECODE is set, as in many images, each process would do it.
    """
    folder = environment_folder(kind, python)
    if not (folder / "compiled").exists():
        uv = make_uv(python)
        say(f"Installing the Python packages into {folder} (once) / 正在安装 Python 依赖（仅一次）…")
        shutil.rmtree(folder, ignore_errors=True)
        run([python, "-m", "venv", "--without-pip", folder])
        run([uv, "pip", "sync", "-q", "--compile-bytecode", "--python", folder / "bin" / "python", "--require-hashes",
             LOCKS[kind]], env=uv_settings(uv.with_name("python")))  # fmt: skip
        (folder / "compiled").touch()
    return folder


def make_venv(env, python):
    """`.venv`: sees this checkout and, behind it, the shared environment."""
    shutil.rmtree(VENV, ignore_errors=True)
    run([python, "-m", "venv", "--without-pip", VENV])
    packages = Path("lib") / "python{}.{}".format(*PYTHON) / "site-packages"
    layer = f"{CHECKOUT}\nimport site; site.addsitedir({str(env / packages)!r})\n"
    (VENV / packages / "lake.pth").write_text(layer, encoding="utf-8")
    if (env / "share").exists():
        (VENV / "share").symlink_to(env / "share")
    for tool in (env / "bin").iterdir():
        layer_tool(tool, env, VENV / "bin" / tool.name)
    lake = VENV / "bin" / "lake"
    lake.write_text(LAKE.format(python=VENV / "bin" / "python"), encoding="utf-8")
    lake.chmod(0o755)
    run([python, "-m", "compileall", "-q", CHECKOUT / "jobs"])


def layer_tool(tool, env, target):
    """A Python script again, run by our interpreter; a program as a link; other scripts find their own way."""
    if target.exists() or tool.is_symlink():
        return
    content = tool.read_bytes()
    ours, theirs = f"#!{VENV}/bin/python".encode(), f"#!{env}/bin/python".encode()
    if content.startswith(theirs):
        target.write_bytes(ours + content[len(theirs) :])
        target.chmod(0o755)
    elif content.startswith(b"\x7fELF"):
        target.symlink_to(tool)


if __name__ == "__main__":
    main()
