"""When a rule's broken limit is an alarm to an authority; the value of a rule's `meta.alarm`."""

from pydantic import BaseModel, ConfigDict, Field


class AlarmPolicy(BaseModel):
    """How an alarm of a rule begins and ends. All numbers are the authority's to set."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: int = Field(2, ge=1, description="Readings in a row beyond the limit after which it opens.")
    clear_after: int = Field(3, ge=1, description="Readings in a row within the limit after which it clears.")
    escalate_min: int = Field(30, ge=1, description="Minutes without acknowledgement after which it escalates.")
    authority: str = Field("bureau", description="Id of the department whose desk it is for.")
