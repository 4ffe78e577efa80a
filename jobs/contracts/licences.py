"""A dataset whose rows are licences: which fields say type, number, authority and validity."""

from collections.abc import Mapping

from pydantic import Field

from jobs.contracts.layout import ContractPart


class Licences(ContractPart):
    """The rows of a dataset are licences; the value of the contract's `licences` property.

    They are counted in the list of electronic licences, by type and issuing authority.
    """

    type: str = Field(description="Field with the name of the type of licence.")
    number: str = Field(description="Field with the number of the licence; rows without one hold none.")
    authority: str = Field(description="Field with the issuing authority.")
    authority_code: str = Field("", description="Field with the authority's credit code; its code is `uscc`.")
    identifier: str = Field("", description="Field with the licence's national identifier; its code is `licence_id`.")
    valid_from: str = Field("", description="Date field of the first day of validity.")
    valid_to: str = Field("", description="Date field of the last day of validity; empty in a row: without end.")
    status: str = Field("", description="Field with the status of the licence.")
    valid_status: tuple[str, ...] = Field((), description="Values of `status` that mean valid.")
    type_codes: Mapping[str, str] = Field(
        {}, description="Name of a type → its code, of the form of `licence_type`; else taken from the identifiers."
    )

    def fields(self) -> tuple[str, ...]:
        """Fields that are read."""
        named = (self.type, self.number, self.authority, self.authority_code, self.identifier)
        return tuple(filter(None, (*named, self.valid_from, self.valid_to, self.status)))

    def coded(self) -> Mapping[str, str]:
        """Fields that must have a code, so that their values are checked, and the code."""
        return {name: code for name, code in ((self.authority_code, "uscc"), (self.identifier, "licence_id")) if name}
