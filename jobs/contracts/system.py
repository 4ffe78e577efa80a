"""schemas/system/ → contracts of the system tables, apart from those of delivered datasets."""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from jobs.contracts import odcs
from jobs.contracts.elements import Elements
from jobs.contracts.model import Contract
from jobs.contracts.yaml_source import Document, read


@lru_cache
def load_system(schemas: Path) -> Mapping[str, Contract]:
    """The contracts below `schemas`/system by id; ContractError for the first mistake."""
    elements = Elements.load(schemas / "elements")
    contracts: dict[str, Contract] = {}
    for file in sorted((schemas / "system").glob("*.yaml")):
        document = read(file)
        contract = odcs.contract(document, elements, "system")
        _check(document, contract)
        contracts[contract.id] = contract
    return contracts


def _check(document: Document, contract: Contract) -> None:
    if contract.file.stem != contract.id:
        raise document.error(("id",), f"the file must be named {contract.id}.yaml")
    storage, names = contract.storage, {field.name for field in contract.fields}
    unknown_fields = {storage.replace_by, *storage.partition_by} - names if storage else set()
    if unknown_fields:
        raise document.error(
            ("customProperties",), f"storage: {', '.join(sorted(unknown_fields))} is not a field of the table"
        )
