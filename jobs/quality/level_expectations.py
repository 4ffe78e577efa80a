"""Expectations over the level of a point; `jobs.quality.level_rules` makes the flags that they read."""

from typing import Any, ClassVar

from great_expectations.compatibility import pydantic
from great_expectations.compatibility.pydantic import Field
from great_expectations.expectations.expectation import ColumnMapExpectation

from jobs.quality.series_expectations import AT, SERIES, UNLESS

PERIOD_S = "Length of a period, in seconds."
EVERY_S = "Distance of compared periods, in seconds; 86400: the same hours of previous days."
SHARE = "Deviation that is also allowed, as a share of what the level is compared with; 0.5: half of it."
LEAST = "Fewest readings for a median; with fewer, no reading is checked."


def whole_periods(every_s: int | None, values: dict[str, Any]) -> int | None:
    """`every_s` unchanged; ValueError where it is not a multiple of the period."""
    if every_s is not None and (every_s <= 0 or every_s % int(values.get("period_s") or 1)):
        raise ValueError("every_s must be a multiple of period_s")
    return every_s


def history_or_peers(back: int, values: dict[str, Any]) -> int:
    """`back` unchanged; ValueError where it is 0 and there are no peers."""
    if not back and values.get("peers") is None:
        raise ValueError("back: 0 needs peers to compare with")
    return back


class ExpectColumnValuesToNotDepart(ColumnMapExpectation):
    """No `readings` in a row off the median of the previous `back` periods by more than `limit`, `share` and `spreads`.

    Periods are `period_s` seconds long and `every_s` apart (consecutive where it is not given). The sigma is
    robust, of the deviations in the same periods; a median needs `least` readings.
    """

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = (
        *("mostly", "series", "at", "period_s", "every_s", "back", "least"),
        *("limit", "share", "spreads", "readings", "unless", "flag"),
    )
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    period_s: pydantic.conint(gt=0) = Field(description=PERIOD_S)  # type: ignore[valid-type]
    every_s: int | None = Field(None, description=EVERY_S)
    back: pydantic.conint(gt=0) = Field(description="Previous periods in the baseline.")  # type: ignore[valid-type]
    least: int = Field(description=LEAST)
    limit: float | str = Field(description="Largest deviation from the baseline, in the field's unit.")
    share: float | str = Field(0, description=SHARE)
    spreads: float | str = Field(description="Largest deviation in robust sigmas; 0: sigmas do not count.")
    readings: int | str = Field(description="Deviating readings in a row that are flagged.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""
    _whole = pydantic.validator("every_s", allow_reuse=True)(whole_periods)


class ExpectColumnValuesToNotDrift(ColumnMapExpectation):
    """No `readings` in a row in periods whose median is off that of the previous `back` periods by more than `limit` and `share`.

    With `peers`, the median change of the points that share these fields is subtracted; with `back` 0, levels are
    compared with the peers' directly.
    """

    map_metric: ClassVar[str] = "column_values.in_series"
    success_keys: ClassVar[tuple[str, ...]] = (
        *("mostly", "series", "at", "period_s", "every_s", "back", "least"),
        *("peers", "limit", "share", "readings", "unless", "flag"),
    )
    args_keys: ClassVar[tuple[str, ...]] = ("column",)
    series: list[str] = Field(description=SERIES)
    at: str = Field(description=AT)
    period_s: pydantic.conint(gt=0) = Field(description=PERIOD_S)  # type: ignore[valid-type]
    every_s: int | None = Field(None, description=EVERY_S)
    peers: list[str] | None = Field(
        None, description="Fields that peer points share, whose median change is subtracted; `[]`: all points."
    )
    back: pydantic.conint(ge=0) = Field(  # type: ignore[valid-type]
        description="Previous periods in the baseline; 0: levels are compared with the peers' directly."
    )
    least: int = Field(description=LEAST)
    limit: float | str = Field(description="Largest change of a period's median, in the field's unit.")
    share: float | str = Field(0, description=SHARE)
    readings: int | str = Field(description="Readings in a row, in deviating periods, that are flagged.")
    unless: str = Field("", description=UNLESS)
    flag: str = ""
    _whole = pydantic.validator("every_s", allow_reuse=True)(whole_periods)
    _compared = pydantic.validator("back", allow_reuse=True)(history_or_peers)
