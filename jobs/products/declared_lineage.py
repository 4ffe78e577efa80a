"""The lineage that a product's contract should declare, as its plan has it, and how it differs from what is declared."""

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from jobs.contracts import Contract
from jobs.contracts.transform import FieldIndirect, Logic, RowIndirect, Transform
from jobs.products.plan_expressions import NOTHING, Influence
from jobs.products.plan_lineage import Lineage

LOGIC: Mapping[int, Logic] = {0: "IDENTITY", 1: "TRANSFORMATION", 2: "AGGREGATION"}


def transform_of(influence: Influence) -> Transform:
    """The strongest influence of each column: what is a source is not named again as a condition."""
    direct = set(influence.direct)
    conditional = influence.conditional - direct
    window = influence.window - direct - conditional
    logic = LOGIC[max(influence.direct.values())] if direct else ""
    return Transform(
        tuple(sorted(direct)),
        logic,
        indirect=FieldIndirect(conditional=tuple(sorted(conditional)), window=tuple(sorted(window))),
    )


def rows_of(lineage: Lineage) -> RowIndirect:
    """What decides on the product's rows."""
    return RowIndirect(**{kind: tuple(sorted(columns)) for kind, columns in lineage.rows.items()})


def differences(contract: Contract, lineage: Lineage) -> list[str]:
    """What the contract declares otherwise than the plan has it, a line each; order of sources does not matter."""
    return list(_differences(contract, lineage))


def _differences(contract: Contract, lineage: Lineage) -> Iterator[str]:
    for field in contract.fields:
        planned, declared = transform_of(lineage.columns.get(field.name, NOTHING)), field.transform
        pairs = {
            "transformSourceObjects": (declared.sources, planned.sources),
            "transformLogic": ((declared.logic,), (planned.logic,)),
            "indirect.conditional": (declared.indirect.conditional, planned.indirect.conditional),
            "indirect.window": (declared.indirect.window, planned.indirect.window),
        }
        yield from _unlike(f"{contract.id}.{field.name}", pairs)
    declared_rows = (contract.indirect or RowIndirect()).model_dump()
    planned_rows = rows_of(lineage).model_dump()
    yield from _unlike(
        contract.id, {f"indirect.{kind}": (declared_rows[kind], planned_rows[kind]) for kind in planned_rows}
    )


def _unlike(name: str, pairs: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]) -> Iterator[str]:
    for key, (declared, planned) in pairs.items():
        if sorted(declared) != sorted(planned):
            yield f"{name}: {key}: declared {_list(declared)}, the plan has {_list(planned)}"


def _list(names: tuple[str, ...]) -> str:
    return f"[{', '.join(sorted(names))}]"


def proposal(contract: Contract, lineage: Lineage) -> str:
    """The declarations that the contract should have, as YAML to paste: keys of each field, then the product's property."""
    lines = []
    for field in contract.fields:
        keys = field_keys(transform_of(lineage.columns.get(field.name, NOTHING)))
        lines += [f"- name: {field.name}", *(f"  {key}: {_flow(value)}" for key, value in keys.items())]
    rows = {kind: list(names) for kind, names in rows_of(lineage).model_dump().items() if names}
    return "\n".join([*lines, "customProperties:", f"  - {_flow({'property': 'indirect', 'value': rows})}"])


def field_keys(transform: Transform) -> dict[str, Any]:
    """The lineage of a field in the keys of its contract."""
    keys: dict[str, Any] = {}
    if transform.logic:
        keys = {"transformLogic": transform.logic, "transformSourceObjects": list(transform.sources)}
    indirect = {kind: list(names) for kind, names in transform.indirect.model_dump().items() if names}
    if indirect:
        keys["customProperties"] = [{"property": "indirect", "value": indirect}]
    return keys


def _flow(value: Any) -> str:
    return (
        yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=100_000, sort_keys=False)
        .strip()
        .removesuffix("\n...")
    )
