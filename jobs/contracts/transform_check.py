"""Whether the declared lineage of a product names fields that its inputs have."""

from collections.abc import Collection, Iterator, Mapping

from jobs.contracts.model import Contract
from jobs.contracts.yaml_source import PathKey

Mistake = tuple[tuple[PathKey, ...], str]


def transform_mistake(contract: Contract, loaded: Mapping[str, Contract], broken: Collection[str]) -> Mistake | None:
    """Place and text of the first source that is not a field of an input; None where all are, or the input is broken."""
    inputs = contract.product.inputs if contract.product else ()
    for place, source in _sources(contract):
        dataset, _, name = source.partition(".")
        if dataset in inputs and dataset in broken:
            continue
        if dataset not in inputs:
            return place, f"lineage: '{source}' is of no input of the product; inputs: {', '.join(inputs) or 'none'}"
        if name not in {field.name for field in loaded[dataset].fields}:
            return place, f"lineage: '{dataset}' has no field '{name}'"
    return None


def _sources(contract: Contract) -> Iterator[tuple[tuple[PathKey, ...], str]]:
    """Every source that is declared, with its place."""
    for index, field in enumerate(contract.fields):
        path: tuple[PathKey, ...] = ("schema", 0, "properties", index)
        indirect = field.transform.indirect
        yield from (((*path, "transformSourceObjects"), source) for source in field.transform.sources)
        yield from ((path, source) for source in (*indirect.conditional, *indirect.window))
    if contract.indirect is not None:
        groups = contract.indirect.model_dump().values()
        yield from ((("customProperties",), source) for group in groups for source in group)
