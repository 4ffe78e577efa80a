"""A code's condition says the same on Spark as on pandas, of right values, wrong values and everything in between."""

import random

import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from jobs.contracts.codes import codes
from jobs.lake.bits import bit_columns, is_set
from jobs.quality.codes import conditions
from jobs.quality.engines import PandasText, SparkText


def texts() -> list[str]:
    """All examples of all codes, and each with a character changed, dropped, doubled or put in another case."""
    rng = random.Random(20260112)
    known = sorted({v for code in codes().values() for v in (*code.right, *code.wrong)})
    variants = set(known)
    for value in known:
        for _ in range(6):
            place = rng.randrange(len(value) + 1)
            other = rng.choice("0123456789AXZ聊?\u3000\n.-\U0002cc56")
            cut = rng.choice((0, 1))
            variants |= {
                value[:place] + other + value[place + cut :],
                value[:place] + value[place + 1 :],
                value.lower(),
            }
    return sorted(variants)


def test_spark_and_pandas_say_the_same_of_every_code(spark: SparkSession) -> None:
    values, names = texts(), sorted(conditions())
    rows = spark.createDataFrame([(i, v) for i, v in enumerate(values)], "i int, v string")
    masks = bit_columns([conditions()[name](SparkText(), F.col("v")) for name in names], "_m")
    judged = rows.select("i", *masks)
    got = judged.select("i", *(is_set(k, "_m").alias(name) for k, name in enumerate(names))).orderBy("i").toPandas()
    series = pd.Series(values, dtype=object)
    for name in names:
        ours = conditions()[name](PandasText(), series).tolist()
        differ = [v for v, a, b in zip(values, got[name], ours, strict=True) if bool(a) != bool(b)]
        assert differ == [], name
