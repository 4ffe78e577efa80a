"""The lake's own tables by their contracts in schemas/system/: bronze, quarantine, evidence, proofs, results.

For zones with one table per dataset, the contract is a template.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import pyarrow as pa

from jobs.contracts import Contract, load_system
from jobs.errors import ContractError
from jobs.lake.table_schema import arrow_schema
from jobs.lake.zones import Zone
from jobs.settings import OWN_SCHEMAS

TEMPLATES = (Zone.TELEMETRY, Zone.BRONZE, Zone.SILVER, Zone.QUARANTINE, Zone.EVIDENCE, Zone.PROOFS)
"""Zones with one table per dataset; the contract has the zone's name."""
CLIENT_WRITTEN = (Zone.TELEMETRY, Zone.BRONZE, Zone.QUARANTINE, Zone.EVIDENCE, Zone.PROOFS)


@dataclass(frozen=True)
class SystemTable:
    """How a table of the lake's own is written: columns, whose rows a write replaces, and partitions."""

    schema: pa.Schema
    replace_by: str
    partition_by: tuple[str, ...] = ()


def system_contract(name: str) -> Contract:
    """The contract of one of the lake's own tables; ContractError where there is none."""
    contracts = load_system(OWN_SCHEMAS)
    if name not in contracts:
        raise ContractError(f"no contract at {OWN_SCHEMAS}/system/{name}.yaml")
    return contracts[name]


@lru_cache
def system_table(name: str) -> SystemTable:
    """The table by its contract; ContractError where the client does not write it."""
    contract = system_contract(name)
    if contract.storage is None:
        raise ContractError(f"{contract.file}: needs the property 'storage' to be written by the client")
    return SystemTable(arrow_schema(contract.fields), contract.storage.replace_by, contract.storage.partition_by)


def bronze_table(columns: Sequence[str]) -> SystemTable:
    """Bronze with the delivered columns as text, then those of the contract."""
    own = system_table(Zone.BRONZE)
    sent = [pa.field(name, pa.string()) for name in columns if name not in own.schema.names]
    return SystemTable(pa.schema([*sent, *own.schema]), own.replace_by, own.partition_by)


def results_tables() -> tuple[Contract, ...]:
    """Contracts of the tables that all datasets share, by name."""
    return tuple(c for name, c in sorted(load_system(OWN_SCHEMAS).items()) if name not in TEMPLATES)
