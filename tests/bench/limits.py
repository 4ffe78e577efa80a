"""Limits of rules from the quiet part of a feed, all by one convention: twice what 999 of 1,000 quiet readings keep to."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

WIDER = 2.0
KEPT_BY = 0.999
SPREADS = 6.0
"""Robust sigmas that a reading may depart at any time, whatever the limit says."""

Timing = Mapping[str, int]
"""The periods that make a reference: `period_s`, `back`, `least`, `readings`, and `every_s` where they lie apart."""


def band(values: pd.Series) -> dict[str, Any]:
    """As far from the median as quiet readings are, to both sides."""
    middle = float(values.median())
    width = _limit((values - middle).abs())
    return {"min_value": middle - width, "max_value": middle + width}


def spike(values: pd.Series) -> dict[str, Any]:
    """The step from one reading to the next."""
    return {"limit": _limit(values.diff().abs())}


def stuck(values: pd.Series) -> dict[str, Any]:
    """The longest run of equal readings."""
    run = (values != values.shift()).cumsum()
    return {"intervals": int(WIDER * values.groupby(run).count().max())}


def depart(values: pd.Series, timing: Timing) -> dict[str, Any]:
    """The departure from the rolling median; values are indexed by time."""
    usual = _rolling(values, timing)
    return {**timing, "limit": _limit((values - usual).abs()), "spreads": SPREADS}


def drift(values: pd.Series, timing: Timing) -> dict[str, Any]:
    """The departure of a period's median from the median of those before it; values are indexed by time."""
    levels = values.resample(f"{timing['period_s']}s").median()
    return {**timing, "limit": _limit((levels - _rolling(levels, timing)).abs())}


def _rolling(values: pd.Series, timing: Timing) -> pd.Series:
    """The median of the `back` periods before, at the same phase where periods lie apart."""
    apart = timing.get("every_s", timing["period_s"])
    window = f"{timing['back'] * apart}s"
    if apart == timing["period_s"]:
        return values.rolling(window, closed="left").median()
    seconds = (values.index - pd.Timestamp(0)) // pd.Timedelta(seconds=1)
    phase = seconds % apart // timing["period_s"]
    return values.groupby(phase, group_keys=False).apply(lambda v: v.rolling(window, closed="left").median())


def _limit(sizes: pd.Series) -> float:
    """Never 0: a sensor that did not move at all in the quiet part says nothing of how far it may."""
    known = sizes.dropna()
    return float(WIDER * (known.quantile(KEPT_BY) or known.max() or 1.0))
