"""The lineage of a field, from the keys that ODCS has for it."""

from collections.abc import Mapping
from typing import cast

from open_data_contract_standard.model import SchemaProperty

from jobs.contracts.transform import LOGICS, FieldIndirect, GradeLowering, Logic, Transform
from jobs.contracts.yaml_source import Document, PathKey


def transform(
    document: Document, path: tuple[PathKey, ...], prop: SchemaProperty, custom: Mapping[str, object]
) -> Transform:
    """The declared lineage; ContractError for a logic without sources, sources without a logic, and an unknown logic."""
    logic, sources = prop.transformLogic or "", tuple(prop.transformSourceObjects or ())
    if logic not in LOGICS:
        raise document.error((*path, "transformLogic"), f"'{logic}' is not one of {', '.join(LOGICS[1:])}")
    if bool(logic) != bool(sources):
        raise document.error(path, "transformLogic and transformSourceObjects are declared together")
    return Transform(
        sources,
        cast(Logic, logic),
        prop.transformDescription or "",
        cast(FieldIndirect, custom.get("indirect", FieldIndirect())),
        cast("GradeLowering | None", custom.get("grade_lowering")),
    )
