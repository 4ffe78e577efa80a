"""Delta's log store on S3 for any number of writers: compiled at set-up by the Scala compiler that pyspark ships."""

import subprocess
import tempfile
import zipfile
from pathlib import Path

from jobs.embedded.home import tail
from jobs.embedded.java import find_java
from jobs.errors import SetupError
from jobs.settings import PROJECT

SOURCE = PROJECT / "infra" / "spark" / "ConditionalPutLogStore.scala"
JAR = "conditional-put-log-store.jar"


def build(libraries: Path, pyspark_jars: Path, log: Path) -> Path:
    """The jar of the log store, put beside the `libraries` that it is compiled against; SetupError where it does not compile."""
    with tempfile.TemporaryDirectory(prefix="lake-log-store-") as folder:
        classpath = [*libraries.glob("*.jar"), *pyspark_jars.glob("hadoop-client*.jar")]
        command = [find_java(), "-cp", f"{pyspark_jars}/*", "scala.tools.nsc.Main", "-usejavacp", "-nowarn"]
        command += ["-classpath", ":".join(map(str, classpath)), "-d", folder, str(SOURCE)]
        with log.open("ab") as file:
            done = subprocess.run(command, stdout=file, stderr=subprocess.STDOUT, check=False)
        classes = sorted(Path(folder).rglob("*.class"))
        if done.returncode or not classes:
            raise SetupError(f"{SOURCE.name} does not compile / 编译失败: {log}\n{tail(log)}")
        jar = libraries / JAR
        with zipfile.ZipFile(jar, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in classes:
                archive.write(path, path.relative_to(folder).as_posix())
    return jar
