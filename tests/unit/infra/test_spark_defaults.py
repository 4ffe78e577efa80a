"""Settings of the engine that only make sense together."""

from pathlib import Path

from jobs.embedded import spark

DEFAULTS = Path(__file__).parents[3] / "infra/spark/spark-defaults.conf"
JVM_LIMIT = 8000
"""Bytes of a method beyond which the JVM leaves it interpreted, unless it is told otherwise (HugeMethodLimit)."""


def test_long_code_is_split_and_what_cannot_be_split_is_compiled() -> None:
    lines = [line.split(None, 1) for line in DEFAULTS.read_text("utf-8").splitlines() if line and line[0] != "#"]
    found = {name: value.strip() for name, value in lines}
    assert int(found["spark.sql.codegen.hugeMethodLimit"]) <= JVM_LIMIT
    for process in ("driver", "executor"):
        assert "-XX:-DontCompileHugeMethods" in found[f"spark.{process}.defaultJavaOptions"]
    assert "defaultJavaOptions" not in Path(spark.__file__).read_text("utf-8"), "the embedded server would lose them"
