"""Values that a department may have meant: suggested to it, never written over what it sent."""

import unicodedata
from collections.abc import Callable, Mapping

import pandas as pd
import pyarrow as pa

from jobs.contracts import Rule
from jobs.contracts.codes import Code, codes
from jobs.quality.codes import RESIDENT_CHECKS, RESIDENT_WEIGHTS, conditions
from jobs.quality.engines import PandasText

PREFIX = "expect_column_values_to_be_"
INVISIBLE = dict.fromkeys(map(ord, "\u200b\u200c\u200d\ufeff\u00a0 \t\r\n'‘’`"))
PLAIN = str.maketrans("OI", "01")


def _tidied(text: str) -> str:
    """Full width to half, upper case, without blanks and apostrophes."""
    return unicodedata.normalize("NFKC", text).translate(INVISIBLE).upper()


def _look_alike(text: str) -> str:
    """Letters that a code does not use, as the digits that they resemble."""
    return _tidied(text).translate(PLAIN)


def _eighteen(text: str) -> str:
    """An identity number of 15 digits as it is written since 1999."""
    tidied = _tidied(text)
    if len(tidied) != 15 or not (tidied.isascii() and tidied.isdigit()):
        return tidied
    body = f"{tidied[:6]}19{tidied[6:]}"
    return body + RESIDENT_CHECKS[sum(int(d) * w for d, w in zip(body, RESIDENT_WEIGHTS, strict=True)) % 11]


def _digits(text: str) -> str:
    """A telephone number without punctuation, country code and blanks."""
    digits = "".join(c for c in _tidied(text) if c.isdigit())
    return digits.removeprefix("0086").removeprefix("86") if len(digits) > 11 else digits


CANDIDATES: Mapping[str, Callable[[str], str]] = {
    "tidied": _tidied,
    "look_alike": _look_alike,
    "eighteen": _eighteen,
    "digits": _digits,
}
"""Candidate functions by the names that code entries give under `candidates`."""


def suggested(rule: Rule, sent: pa.Array) -> pa.Array:
    """For each text sent, a valid value close to it; null where there is none, or the rule is not about a code."""
    name = rule.type.removeprefix(PREFIX)
    candidates = _candidates(codes().get(name))
    if not candidates:
        return pa.nulls(len(sent), pa.string())
    texts = pd.Series(sent.to_pylist(), dtype=object)
    suggestions = pd.Series([None] * len(texts), dtype=object)
    for candidate in candidates:
        unresolved = texts.notna() & suggestions.isna()
        if unresolved.any():
            tried = texts[unresolved].map(candidate)
            is_valid = conditions()[name](PandasText(), tried)
            suggestions.loc[tried.index[is_valid]] = tried[is_valid]
    return pa.array(suggestions.tolist(), pa.string())


def _candidates(code: Code | None) -> tuple[Callable[[str], str], ...]:
    if code is None:
        return ()
    by_word = (lambda text: code.meant.get(_tidied(text), text),) if code.meant else ()
    return (*by_word, *(CANDIDATES[name] for name in code.candidates))
