"""What the engine needs of ours: Delta's log store for any number of writers, and functions of texts; compiled at set-up by the Scala compiler that pyspark ships."""

import subprocess
import tempfile
import zipfile
from pathlib import Path

from jobs.embedded.home import tail
from jobs.embedded.java import find_java
from jobs.errors import SetupError
from jobs.settings import PROJECT

FOLDER = PROJECT / "infra" / "spark"
JAR = "lake-engine.jar"


def sources() -> list[Path]:
    """The Scala files."""
    return sorted(FOLDER.glob("*.scala"))


def build(libraries: Path, pyspark_jars: Path, log: Path) -> Path:
    """The jar, put into the folder of the `libraries` that it is compiled against; SetupError where it does not compile."""
    with tempfile.TemporaryDirectory(prefix="lake-engine-") as folder:
        classpath = [*libraries.glob("*.jar"), *pyspark_jars.glob("*.jar")]
        command = [find_java(), "-cp", f"{pyspark_jars}/*", "scala.tools.nsc.Main", "-usejavacp", "-nowarn"]
        command += ["-classpath", ":".join(map(str, classpath)), "-d", folder, *map(str, sources())]
        with log.open("ab") as file:
            done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False)
        classes = sorted(Path(folder).rglob("*.class"))
        if done.returncode or not classes:
            names = ", ".join(path.name for path in sources())
            raise SetupError(f"{names}: do not compile / 编译失败: {log}\n{tail(log)}")
        jar = libraries / JAR
        with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in classes:
                archive.write(path, path.relative_to(folder).as_posix())
    return jar
