"""Text functions for Spark and for pandas, so that a condition on codes is written once (`jobs.quality.codes`)."""

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pandas as pd
from pyspark.sql import Column
from pyspark.sql import functions as F


class SparkText:
    """Native expressions: no Python runs on the row path."""

    def matches(self, texts: Column, pattern: str) -> Column:
        return texts.rlike(pattern)

    def piece(self, texts: Column, start: int, length: int) -> Column:
        return F.substring(texts, start, length)

    def place(self, texts: Column, position: int, alphabet: str) -> Column:
        return F.instr(F.lit(alphabet), F.substring(texts, position, 1)) - 1

    def number(self, texts: Column) -> Column:
        return F.coalesce(F.when(texts.rlike("^[0-9]+$"), texts.try_cast("int")), F.lit(0))

    def fold(self, places: Sequence[Column], start: int, step: Callable[[Column, Column], Column]) -> Column:
        with _same_names():
            return F.aggregate(F.array(*places), F.lit(start), step)

    def choose(self, condition: Column, values: Column, otherwise: Any) -> Column:
        return F.when(condition, values).otherwise(otherwise)

    def among(self, texts: Column, values: Sequence[Any]) -> Column:
        return texts.isin(*values)


@contextmanager
def _same_names() -> Iterator[None]:
    """Variables get the same names each time, as plans are found by their bytes; folds do not contain each other."""
    from pyspark.sql.connect.expressions import UnresolvedNamedLambdaVariable as Variable  # slow to import

    before, Variable._nextVarNameId = Variable._nextVarNameId, 0
    try:
        yield
    finally:
        Variable._nextVarNameId = before


class PandasText:
    """The same results on a pandas series of texts."""

    def matches(self, texts: pd.Series, pattern: str) -> pd.Series:
        return texts.map(_finder(pattern)).astype(bool)

    def piece(self, texts: pd.Series, start: int, length: int) -> pd.Series:
        return texts.str[start - 1 : start - 1 + length]

    def place(self, texts: pd.Series, position: int, alphabet: str) -> pd.Series:
        return texts.str[position - 1 : position].map(alphabet.find).astype("int64")

    def number(self, texts: pd.Series) -> pd.Series:
        return texts.map(lambda text: int(text) if text.isascii() and text.isdigit() else 0).astype("int64")

    def fold(self, places: Sequence[Any], start: int, step: Callable[[Any, Any], Any]) -> Any:
        carried: Any = start
        for place in places:
            carried = step(carried, place)
        return carried

    def choose(self, condition: pd.Series, values: pd.Series, otherwise: Any) -> pd.Series:
        return values.where(condition, otherwise)

    def among(self, texts: pd.Series, values: Sequence[Any]) -> pd.Series:
        return texts.isin(values)


def _finder(pattern: str) -> Any:
    search = re.compile(pattern).search
    return lambda text: search(text) is not None
