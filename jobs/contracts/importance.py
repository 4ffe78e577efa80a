"""How important a dataset is as a whole: general, important or core data, besides the grades of its fields."""

from collections.abc import Mapping
from typing import Literal

from pydantic import Field

from jobs.contracts.layout import ContractPart

LEVELS = ("general", "important", "core")
TITLES: Mapping[str, str] = {"general": "一般数据", "important": "重要数据", "core": "核心数据"}


class LevelLowering(ContractPart):
    """Why a product is less important than what it is made from."""

    approver: str = Field(min_length=2, description="Who approved it: department and person.")
    reason: str = Field(min_length=4, description="Why it is safe, in a sentence.")


class Importance(ContractPart):
    """How important the data is as a whole; the value of the contract's `importance` property, general data without it.

    A product is as important as the most important of its inputs, unless `lowered` says why not. Important and core data
    are neither shared nor opened without conditions.
    """

    level: Literal["general", "important", "core"] = Field(description="By the city's list of important data.")
    basis: str = Field(min_length=4, description="The item of the list, or the decision, that says so.")
    lowered: LevelLowering | None = Field(None, description="For a product below its inputs: `approver` and `reason`.")

    def rank(self) -> int:
        """0 for general, 2 for core data."""
        return LEVELS.index(self.level)
