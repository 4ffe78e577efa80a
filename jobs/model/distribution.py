"""How the values of a field lie in a delivery."""

from dataclasses import dataclass

MEAN, VALUE_SHARE = "mean", "value_share"


@dataclass(frozen=True)
class DistributionRow:
    """How a field's values lie in one delivery: `kind` is MEAN of `field`, or VALUE_SHARE of `field=word`."""

    delivery: str
    seq: int
    dataset: str
    kind: str
    field: str
    number: float
