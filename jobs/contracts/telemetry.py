"""How messages of a dataset's stream are read: JSON objects whose names are those of the fields, or of a file's header."""

from dataclasses import replace

from jobs.contracts.layout import Layout
from jobs.contracts.model import Contract

SUFFIX = ".readings.jsonl.gz"
"""End of the name of a sealed hour's file."""


def telemetry(contract: Contract) -> Contract:
    """The contract with the layout of messages; words for missing values and the zone stay those of the contract.

    No field is needed: whether a message lacks one is for the rules to say.
    """
    declared = contract.layout
    inherited = {"missing": declared.missing, "timezone": declared.timezone, "extra_columns": declared.extra_columns}
    layout = Layout(format="jsonl", encoding="utf-8", missing_columns="ignore", summary_rows="keep")
    fields = tuple(
        field
        if field.is_computed()
        else replace(
            field,
            required=False,
            key_position=None,
            source=field.source.model_copy(
                update={"header": tuple(dict.fromkeys((field.name, *field.headers()))), "position": None}
            ),
        )
        for field in contract.fields
    )
    return replace(contract, layout=layout.model_copy(update=inherited), fields=fields)


__all__ = ["SUFFIX", "telemetry"]
