"""References from a field to the key of another dataset."""

from collections.abc import Container, Mapping

from jobs.contracts.model import Contract, Field

AS_UNKNOWN = "unknown"
HELD_BACK = ("info", AS_UNKNOWN)
"""Values of `held_back`: a finding for information, which holds nothing back; or like an unknown value."""


def reference_mistake(field: Field, others: Mapping[str, Contract], broken: Container[str]) -> str:
    """What is wrong with a field's reference and its `held_back`; empty where nothing is."""
    if field.held_back and (field.reference is None or field.held_back not in HELD_BACK):
        return f"held_back: one of {', '.join(HELD_BACK)}, of a field with a reference"
    dataset = (field.reference or "").partition(".")[0]
    if field.reference is None or dataset in broken:
        return ""
    if dataset not in others:
        return f"'{field.reference}' refers to dataset '{dataset}', which has no contract"
    return _field_mistake(field, field.reference, others[dataset])


def _field_mistake(field: Field, reference: str, other: Contract) -> str:
    column = reference.partition(".")[2]
    if column not in {f.name for f in other.fields}:
        return f"'{reference}': dataset '{other.id}' has no field '{column}'"
    if field.held_back and column not in other.key():
        return f"held_back: '{reference}' is not in the primary key, so rows that are held back cannot be found"
    return ""
