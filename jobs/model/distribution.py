"""Value distribution of a field in a delivery."""

from dataclasses import dataclass

MEAN, VALUE_SHARE = "mean", "value_share"


@dataclass(frozen=True)
class DistributionRow:
    """One number of a field's value distribution: `kind` is MEAN of `field`, or VALUE_SHARE of `field=word`."""

    delivery: str
    seq: int
    dataset: str
    kind: str
    field: str
    number: float
