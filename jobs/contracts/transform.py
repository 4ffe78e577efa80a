"""How a product's field is made from fields of its inputs: the lineage that its contract declares, and a lowered grade."""

from dataclasses import dataclass, field
from typing import Literal

from pydantic import Field, model_validator

from jobs.contracts.layout import ContractPart

Logic = Literal["", "IDENTITY", "TRANSFORMATION", "AGGREGATION"]
"""Direct transformations in OpenLineage's terms, the weakest first; empty where nothing is computed from a field."""
LOGICS: tuple[Logic, ...] = ("", "IDENTITY", "TRANSFORMATION", "AGGREGATION")


class FieldIndirect(ContractPart):
    """Fields of inputs that decide on a value without being part of it; the value of a field's `indirect` property."""

    conditional: tuple[str, ...] = Field((), description="Decide which value it is, such as the condition of a CASE.")
    window: tuple[str, ...] = Field((), description="Partition or order the rows that its window sees.")


class RowIndirect(ContractPart):
    """Fields of inputs that decide which rows there are; the value of a product's `indirect` property."""

    filter: tuple[str, ...] = Field((), description="Rows are filtered by them.")
    join: tuple[str, ...] = Field((), description="Inputs are joined by them.")
    group_by: tuple[str, ...] = Field((), description="Rows are grouped or deduplicated by them.")
    sort: tuple[str, ...] = Field((), description="Rows are sorted by them.")


class GradeLowering(ContractPart):
    """Why a field has a lower grade than the fields that it is made from; the value of a field's `grade_lowering` property."""

    by: Literal["aggregation", "masking"] = Field(
        description="`aggregation`: a figure over so many persons that it says nothing of one; `masking`: what identifies a "
        "person is removed."
    )
    parameter: str = Field(
        "",
        description="With `aggregation`: the product's parameter with the fewest persons, below which the value is null.",
    )
    approver: str = Field(min_length=2, description="Who approved it: department and person.")
    reason: str = Field(min_length=4, description="Why it is safe, in a sentence.")

    @model_validator(mode="after")
    def _parameter_of_aggregation(self) -> "GradeLowering":
        if (self.by == "aggregation") != bool(self.parameter):
            raise ValueError("parameter: names the product's parameter where `by` is aggregation, and only there")
        return self


@dataclass(frozen=True)
class Transform:
    """The declared lineage of a field; `sources` and those of `indirect` are written `dataset.field`."""

    sources: tuple[str, ...] = ()
    logic: Logic = ""
    description: str = ""
    indirect: FieldIndirect = field(default_factory=FieldIndirect)
    lowering: GradeLowering | None = None

    def deciding(self) -> tuple[str, ...]:
        """Fields that the value is made from or depends on, once each; those of its window only order rows."""
        return tuple(dict.fromkeys((*self.sources, *self.indirect.conditional)))
