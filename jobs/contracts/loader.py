"""schemas/ and expectations/ → contracts and rules; every mistake names its file and line."""

import os
import re
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from jobs.contracts import odcs
from jobs.contracts.elements import Elements
from jobs.contracts.licence_check import licence_mistake
from jobs.contracts.model import Contract, Rule
from jobs.contracts.names import OF_A_DELIVERY
from jobs.contracts.references import reference_mistake
from jobs.contracts.structure import structural_rules
from jobs.contracts.suites import suite_rules
from jobs.contracts.transform_check import transform_mistake
from jobs.contracts.yaml_source import Document, read
from jobs.errors import ContractError

ID = re.compile(r"^[a-z][a-z0-9_]*$")
RESERVED = ("events", "exchange")
"""Ids that no contract may have: pages of the portal have the addresses where it would be shown."""
KINDS: Mapping[str, Literal["source", "product"]] = {"sources": "source", "products": "product"}
UNSETTLED_NS = 100_000_000
"""A file that was written a moment ago may be written again within the resolution of its time: it is read anew."""

FileState = tuple[str, int, int]
_PARSED: "dict[tuple[Path, Path], tuple[tuple[FileState, ...], Registry]]" = {}
"""The last registry of each pair of folders, with the state of its files; processes forked later share it."""


@dataclass(frozen=True)
class BrokenContract:
    """A contract that cannot be used: its kind and provider, and the mistake with file and line."""

    kind: Literal["source", "product"]
    provider: str
    mistake: str


@dataclass(frozen=True)
class Registry:
    """All contracts by id, with the rules of each; broken ones by the stem of their file's name.

    System tables are not included: nobody delivers them, and no rule checks them.
    """

    contracts: Mapping[str, Contract]
    rules: Mapping[str, tuple[Rule, ...]]
    broken: Mapping[str, BrokenContract] = field(default_factory=dict)

    def contract(self, dataset: str) -> Contract:
        """The contract of a dataset; ContractError that lists the known ids."""
        if dataset in self.contracts:
            return self.contracts[dataset]
        if dataset in self.broken:
            raise ContractError(self.broken[dataset].mistake)
        raise ContractError(
            f"no contract for dataset '{dataset}'; known: {', '.join(sorted(self.contracts)) or 'none'}"
        )

    def sources(self) -> tuple[Contract, ...]:
        """Contracts of what providers deliver, by id."""
        return tuple(c for _, c in sorted(self.contracts.items()) if c.kind == "source")

    def providers(self) -> dict[str, str]:
        """Provider by dataset, for all that may be delivered; of a broken contract, the name of its folder."""
        broken = {id_: contract.provider for id_, contract in self.broken.items() if contract.kind == "source"}
        return broken | {c.id: c.provider for c in self.sources()}

    def streams(self) -> tuple[Contract, ...]:
        """Contracts whose readings arrive one by one, by id."""
        return tuple(c for c in self.sources() if c.stream is not None)

    def products(self) -> tuple[Contract, ...]:
        """Contracts of gold tables, by id."""
        return tuple(c for _, c in sorted(self.contracts.items()) if c.kind == "product")


def load(schemas: Path, expectations: Path) -> Registry:
    """Every contract under `schemas` with its suite under `expectations`; ContractError lists all mistakes at once."""
    registry = load_usable(schemas, expectations)
    mistakes = [broken.mistake for _, broken in sorted(registry.broken.items())]
    mistakes.extend(_suites_without_contract(schemas, expectations))
    if mistakes:
        raise ContractError("\n".join(mistakes))
    return registry


def load_usable(schemas: Path, expectations: Path) -> Registry:
    """The usable contracts, and the broken ones with their mistakes: a mistake in one contract affects no other.

    Parsed anew only where a file has changed.
    """
    files = tuple(sorted(file for folder in (schemas, expectations) for file in _file_states(folder)))
    known = _PARSED.get((schemas, expectations))
    if known and known[0] == files:
        return known[1]
    registry = _parsed(schemas, expectations)
    if all(changed < time.time_ns() - UNSETTLED_NS for _, changed, _ in files):
        _PARSED[schemas, expectations] = files, registry
    return registry


def _file_states(folder: Path) -> Iterator[FileState]:
    """Path, time of the last change (ns) and size of each file below the folder."""
    for entry in os.scandir(folder) if folder.is_dir() else ():
        if entry.is_dir():
            yield from _file_states(Path(entry.path))
        else:
            state = entry.stat()
            yield entry.path, state.st_mtime_ns, state.st_size


def _parsed(schemas: Path, expectations: Path) -> Registry:
    elements = Elements.load(schemas / "elements")
    loaded: dict[str, Contract] = {}
    documents: dict[str, Document] = {}
    broken: dict[str, BrokenContract] = {}
    for file in _files(schemas):
        try:
            document = read(file)
            contract = odcs.contract(document, elements, _kind(file, schemas))
            _check_id(contract, document, loaded)
            _check_full(contract, document)
            loaded[contract.id], documents[contract.id] = contract, document
        except ContractError as error:
            id_ = file.stem if file.stem not in loaded else str(file)
            broken[id_] = BrokenContract(_kind(file, schemas), file.parent.name, str(error))
    rules: dict[str, tuple[Rule, ...]] = {}
    usable = {id_: contract for id_, contract in loaded.items() if id_ not in broken}
    for contract in tuple(loaded.values()):
        try:
            _references(contract, documents[contract.id], loaded, broken)
            suite = expectations / contract.file.relative_to(schemas)
            implied = structural_rules(contract, loaded)
            _check_ids(implied, documents[contract.id])
            rules[contract.id] = (*implied, *suite_rules(suite, contract, implied, usable, broken))
        except ContractError as error:
            broken[contract.id] = BrokenContract(_kind(contract.file, schemas), contract.file.parent.name, str(error))
            usable.pop(contract.id, None)
    return Registry(usable, rules, broken)


def _files(schemas: Path) -> list[Path]:
    if not schemas.is_dir():
        raise ContractError(f"{schemas}: no such folder; set LAKE_SCHEMAS to the folder of the contracts")
    return sorted(f for kind in KINDS for f in (schemas / kind).rglob("*.y*ml"))


def _kind(file: Path, schemas: Path) -> Literal["source", "product"]:
    return KINDS[file.relative_to(schemas).parts[0]]


def _check_id(contract: Contract, document: Document, loaded: Mapping[str, Contract]) -> None:
    if not ID.match(contract.id):
        raise document.error(("id",), f"'{contract.id}' may only contain a-z, 0-9 and _, and must begin with a letter")
    if contract.id in RESERVED:
        raise document.error(("id",), f"'{contract.id}' is the address of a page of the portal; choose another id")
    if contract.id in loaded:
        raise document.error(("id",), f"'{contract.id}' is already the id of {loaded[contract.id].file}")
    if contract.file.stem != contract.id:
        raise document.error(("id",), f"the file must be named {contract.id}.yaml")


def _check_full(contract: Contract, document: Document) -> None:
    if contract.write.full and not contract.key():
        raise document.error(
            ("customProperties",), "write: `full` needs a primary key, by which rows are known to be gone"
        )


def _references(
    contract: Contract, document: Document, loaded: Mapping[str, Contract], broken: Mapping[str, BrokenContract]
) -> None:
    for index, declared in enumerate(contract.fields):
        mistake = reference_mistake(declared, loaded, broken)
        if mistake:
            raise document.error(("schema", 0, "properties", index, "relationships"), mistake)
    _county(contract, document, loaded, broken)
    if mistake := licence_mistake(contract):
        raise document.error(("customProperties",), f"licences: {mistake}")
    _product(contract, document, {*loaded, *broken})
    if wrong_source := transform_mistake(contract, loaded, broken):
        raise document.error(*wrong_source)


def _product(contract: Contract, document: Document, known: Collection[str]) -> None:
    if contract.product is None:
        return
    for name in contract.product.inputs:
        if name not in known:
            raise document.error(("customProperties",), f"product input '{name}' has no contract")
    owner = contract.product.department_field
    if owner and owner not in {f.name for f in contract.fields}:
        raise document.error(("customProperties",), f"product: no field '{owner}' for `department_field`")


def _county(
    contract: Contract, document: Document, loaded: Mapping[str, Contract], broken: Mapping[str, BrokenContract]
) -> None:
    county, place = contract.county, ("customProperties",)
    if county is None or county.dataset in broken:
        return
    if county.dataset and county.dataset not in loaded:
        raise document.error(place, f"county: '{county.dataset}' has no contract")
    owner = loaded[county.dataset] if county.dataset else contract
    if county.field not in {f.name for f in owner.fields}:
        raise document.error(place, f"county: '{owner.id}' has no field '{county.field}'")
    if county.dataset and set(county.on) != set(owner.key()):
        raise document.error(place, f"county: `on` must name every field of the primary key of '{owner.id}'")


def _check_ids(rules: Sequence[Rule], document: Document) -> None:
    """ContractError where a field's rule would have the id of a delivery check."""
    reserved = sorted({rule.id for rule in rules} & set(OF_A_DELIVERY))
    if reserved:
        raise document.error(
            ("schema",),
            f"a field's rule would be called '{reserved[0]}', which is reserved for a check of the delivery",
        )


def _suites_without_contract(schemas: Path, expectations: Path) -> list[str]:
    if not expectations.is_dir():
        return []
    return [
        f"{suite}:1: no contract at schemas/{suite.relative_to(expectations)}; rename or remove the suite"
        for suite in sorted(expectations.rglob("*.y*ml"))
        if not (schemas / suite.relative_to(expectations)).exists()
    ]
