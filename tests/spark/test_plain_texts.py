"""The engine's own functions of texts, compiled and interpreted, on random texts against their definitions in Python."""

import random
import re
import struct
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import Column, SparkSession
from pyspark.sql import functions as F

from jobs.conform.normalise import BLANKS, is_odd

WAYS = ("CODEGEN_ONLY", "NO_CODEGEN")
NUMBERS = "0123456789012345678901234567890123456789..+-eExXdDfF _，１"
LETTERS = "ab中é𠮷 \t\u3000\u00a0\u00a1\ufeff\u200b\u200d\u200e\u3001１，｀\uff7f\uff80"
WIDE_BLANKS = "".join(char for char in BLANKS if not char.isascii())
FORMS = {10: "%Y-%m-%d", 16: "%Y-%m-%d %H:%M", 19: "%Y-%m-%d %H:%M:%S"}


def plain_double(text: str) -> bytes | None:
    """The bytes of the number: 0 and -0 differ."""
    is_plain = len(text) <= 30 and re.fullmatch(r"[+-]?[0-9]*\.?[0-9]+", text)
    return struct.pack(">d", float(text)) if is_plain else None


def plain_bigint(text: str) -> int | None:
    return int(text) if re.fullmatch("[+-]?[0-9]{1,18}", text) else None


def plain_moment(text: str, size: int) -> datetime | None:
    if len(text) != size or not re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}(:[0-9]{2})+)?", text):
        return None
    try:
        return datetime.strptime(text, FORMS[size]).replace(tzinfo=UTC)
    except ValueError:
        return None


def has_odd_characters(text: str) -> bool:
    ends = not text or min(text[0], text[-1]) <= " "
    return ends or any(char in WIDE_BLANKS or "\uff00" <= char <= "\uff7f" for char in text)


def numbers(rng: random.Random) -> Iterator[str]:
    """Numbers of all lengths, and texts that are nearly some."""
    for _ in range(4000):
        yield "".join(rng.choices(NUMBERS, k=rng.randrange(0, 12)))
        whole, part = rng.randrange(10 ** rng.randrange(1, 20)), rng.randrange(10 ** rng.randrange(1, 18))
        yield rng.choice(("", "-", "+", "0", "-000")) + rng.choice(
            (f"{whole}", f"{whole}.{part}", f".{part}", f"{whole}.")
        )
        yield repr(rng.uniform(-1e6, 1e6))
    yield from (
        "",
        "-",
        "+",
        ".",
        "-.",
        "0",
        "-0",
        "+0",
        "-0.0",
        "9" * 18,
        "9" * 19,
        "9007199254740993",
        "0" * 31,
        "1" * 30,
    )


def moments(rng: random.Random) -> Iterator[str]:
    """Moments, and texts in which one character of a moment is another."""
    for _ in range(6000):
        text = f"{rng.randrange(1, 10000):04}-{rng.randrange(14):02}-{rng.randrange(33):02} "
        text = (text + f"{rng.randrange(26):02}:{rng.randrange(62):02}:{rng.randrange(62):02}")[
            : rng.choice((10, 16, 19, 15))
        ]
        place = rng.randrange(len(text) * 4)
        yield text if place >= len(text) else text[:place] + rng.choice("0123456789-: /T.中") + text[place + 1 :]
    yield from ("2024-02-29", "2023-02-29", "1900-02-29", "2000-02-29", "2026-01-12 24:00", "0000-01-01")


def letters(rng: random.Random) -> Iterator[str]:
    """Words with and without blanks and full-width letters."""
    for _ in range(6000):
        yield "".join(rng.choices(LETTERS, k=rng.randrange(0, 6)))


@pytest.fixture(params=WAYS)
def answers(spark: SparkSession, request: pytest.FixtureRequest) -> Iterator[Callable[[list[str], Column], list[Any]]]:
    """What a function answers on texts, by tasks of the engine."""
    names = ("spark.sql.codegen.factoryMode", "spark.sql.codegen.wholeStage", "spark.sql.optimizer.excludedRules")
    before = {name: spark.conf.get(name, None) for name in names}
    local = "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation"
    for name, value in zip(names, (request.param, "false", local), strict=True):
        spark.conf.set(name, value)

    def answer(texts: list[str], function: Column) -> list[Any]:
        rows = spark.createDataFrame(pa.table({"text": pa.array(texts, pa.string())}))
        return rows.select(function.alias("answer")).toArrow()["answer"].to_pylist()

    yield answer
    for name, value in before.items():
        spark.conf.unset(name) if value is None else spark.conf.set(name, value)


def test_numbers(answers: Callable[[list[str], Column], list[Any]]):
    texts = list(numbers(random.Random(1)))
    found = answers(texts, F.call_function("lake_plain_double", F.col("text")))
    found = [None if number is None else struct.pack(">d", number) for number in found]
    wanted = list(map(plain_double, texts))
    assert sum(number is None for number in wanted) > 1000
    assert [(t, f, w) for t, f, w in zip(texts, found, wanted, strict=True) if f != w] == []


def test_whole_numbers(answers: Callable[[list[str], Column], list[Any]]):
    texts = list(numbers(random.Random(2)))
    found = answers(texts, F.call_function("lake_plain_bigint", F.col("text")))
    wanted = list(map(plain_bigint, texts))
    assert [(t, f, w) for t, f, w in zip(texts, found, wanted, strict=True) if f != w] == []


@pytest.mark.parametrize("size", FORMS)
def test_moments(answers: Callable[[list[str], Column], list[Any]], size: int):
    texts = list(moments(random.Random(3)))
    found = answers(texts, F.call_function("lake_plain_timestamp", F.col("text"), F.lit(size)))
    wanted = [plain_moment(text, size) for text in texts]
    assert sum(moment is not None for moment in wanted) > 500
    assert [(t, f, w) for t, f, w in zip(texts, found, wanted, strict=True) if f != w] == []


def test_odd_texts(answers: Callable[[list[str], Column], list[Any]]):
    texts = [*letters(random.Random(4)), *numbers(random.Random(5))]
    found, wanted = answers(texts, is_odd(F.col("text"))), list(map(has_odd_characters, texts))
    assert 1000 < sum(wanted) < len(texts) - 1000
    assert [(t, f, w) for t, f, w in zip(texts, found, wanted, strict=True) if f != w] == []
