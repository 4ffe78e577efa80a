"""Fields whose code is judged as sent because their contract says nothing of how they may be normalised."""

from collections.abc import Iterator

from jobs.contracts.codes import is_half_width
from jobs.contracts.model import Contract, Field
from jobs.contracts.yaml_source import read


def normalisation_notes(contract: Contract) -> Iterator[str]:
    """A note with file and line for each field of a delivered dataset that has a code and leaves normalisation open."""
    if contract.kind != "source":
        return
    document = read(contract.file)
    for index, field in enumerate(contract.fields):
        keys = undeclared(field)
        if keys:
            place = f"{contract.file}:{document.line(('schema', 0, 'properties', index))}"
            declared = ", ".join(f"{key}: true" for key in keys)
            yield (
                f"{place}: note: '{field.name}' has code '{field.code}' and is judged as sent; "
                f"declare `source: {{{declared}}}` to normalise and count, or false to keep it so"
            )


def undeclared(field: Field) -> tuple[str, ...]:
    """Keys of `source` that matter to the field's code and are not said."""
    if not field.is_coded():
        return ()
    keys = {"trim": field.source.trim}
    if is_half_width(field.code):
        keys["full_width"] = field.source.full_width
    return tuple(key for key, value in keys.items() if value is None)
