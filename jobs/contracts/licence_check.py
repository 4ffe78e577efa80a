"""What is wrong with the declaration of a dataset's licences: unknown fields, fields that nothing checks, codes of another form."""

import re

from jobs.contracts.codes import codes
from jobs.contracts.model import Contract

TYPE = "licence_type"


def licence_mistake(contract: Contract) -> str:
    """The first mistake; empty where there is none."""
    declared = contract.licences
    if declared is None:
        return ""
    fields = {field.name: field for field in contract.fields}
    if unknown := sorted(set(declared.fields()) - fields.keys()):
        return f"no field '{unknown[0]}'"
    for name, code in declared.coded().items():
        if fields[name].code != code:
            return f"field '{name}' must have the code {code}, so that its values are checked"
    patterns = codes()[TYPE].pattern
    for name, code in declared.type_codes.items():
        if not any(re.search(pattern, code) for pattern in patterns):
            return f"type_codes: '{code}' of {name} is not of the form of {TYPE}"
    return ""
