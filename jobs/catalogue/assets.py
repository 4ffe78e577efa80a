"""The ledger of data assets: owner, storage and its cost, quality, use, an estimated value by a published rule, registration."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jobs.contracts.policy_file import PolicyPart, read_policy

FILE = Path(__file__).parent / "assets.yaml"
GIB = 2**30
MONTHS = 12


class Use(PolicyPart):
    """How uses raise the estimate: per query, product and register item; the factor is at most `most`."""

    per_query: float
    per_product: float
    per_item: float
    most: float


class Valuation(PolicyPart):
    """The rule of the estimate; amounts are in yuan."""

    version: int
    days: int
    yuan_per_gib_month: float
    yuan_per_thousand_rows: Mapping[str, float]
    unscored: float
    use: Use
    states: Mapping[str, str]


@dataclass(frozen=True)
class Asset:
    """A dataset or product as an asset. `size` is in bytes, of all zones and kept versions; None before it was measured.

    `queries` of the rule's days; `products` made from it; `items` of the registers that use it; `requests` for a
    correction of its records. `registration` and `number` are what the register of assets states; empty where nothing is.
    """

    id: str
    title: str
    is_product: bool
    provider: str
    owner: str
    grade: str
    rows: int
    size: int | None
    score: float | None
    queries: int
    products: int
    items: int
    requests: int
    registration: str
    number: str


@dataclass(frozen=True)
class Estimate:
    """An asset's value in yuan, with the parts of the rule."""

    collection: float
    storage_year: float
    quality: float
    use: float

    def value(self) -> float:
        """The estimate."""
        return (self.collection + self.storage_year) * self.quality * self.use

    def storage_month(self) -> float:
        """Cost of storage of a month."""
        return self.storage_year / MONTHS


@cache
def valuation() -> Valuation:
    """The shipped rule."""
    return read_policy(FILE, Valuation, "请参照 jobs/catalogue/assets.yaml 开头的说明")[0]


def estimate(asset: Asset, by: Valuation) -> Estimate:
    """The value of an asset by a rule."""
    use = 1 + by.use.per_query * asset.queries + by.use.per_product * asset.products + by.use.per_item * asset.items
    return Estimate(
        collection=asset.rows * by.yuan_per_thousand_rows[asset.grade] / 1000,
        storage_year=(asset.size or 0) / GIB * by.yuan_per_gib_month * MONTHS,
        quality=by.unscored if asset.score is None else asset.score / 100,
        use=min(use, by.use.most),
    )
