"""Notes on fields with a code whose contract declares no normalisation, so that they are checked as sent."""

from collections.abc import Iterator

from jobs.contracts.codes import is_half_width
from jobs.contracts.model import Contract, Field
from jobs.contracts.yaml_source import read


def normalisation_notes(contract: Contract) -> Iterator[str]:
    """A note with file and line for each field of a source contract with a code and undeclared normalisation."""
    if contract.kind != "source":
        return
    noted = [(index, field, keys) for index, field in enumerate(contract.fields) if (keys := undeclared(field))]
    document = read(contract.file) if noted else None
    for index, field, keys in noted:
        line = document.line(("schema", 0, "properties", index)) if document else 1
        declared = ", ".join(f"{key}: true" for key in keys)
        yield (
            f"{contract.file}:{line}: note: '{field.name}' has code '{field.code}' and is checked as sent; "
            f"declare `source: {{{declared}}}` to normalise and count, or false to leave it so"
        )


def undeclared(field: Field) -> tuple[str, ...]:
    """Keys of `source` that matter to the field's code and are not declared."""
    if not field.is_coded():
        return ()
    keys = {"trim": field.source.trim}
    if is_half_width(field.code):
        keys["full_width"] = field.source.full_width
    return tuple(key for key, value in keys.items() if value is None)
