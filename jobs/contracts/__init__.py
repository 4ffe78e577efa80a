"""ODCS contracts and GX suites as frozen Python values, read without an engine."""

from jobs.contracts.elements import Elements, no_elements
from jobs.contracts.layout import Acceptance, Layout, Product, Source, Write
from jobs.contracts.layout_digest import layout_digest
from jobs.contracts.loader import BrokenContract, Registry, load, load_usable
from jobs.contracts.model import Contract, Field, Lookup, Rule, Severity
from jobs.contracts.names import MALFORMED, SENT, TEXT, TOLD
from jobs.contracts.quality_standard import Dimension
from jobs.contracts.structure import text_column
from jobs.contracts.suites import suite_hash
from jobs.contracts.system import load_system
from jobs.contracts.time_zones import changes_clock

__all__ = [
    "MALFORMED",
    "SENT",
    "TEXT",
    "TOLD",
    "Acceptance",
    "BrokenContract",
    "Contract",
    "Dimension",
    "Elements",
    "Field",
    "Layout",
    "Lookup",
    "Product",
    "Registry",
    "Rule",
    "Severity",
    "Source",
    "Write",
    "changes_clock",
    "layout_digest",
    "load",
    "load_system",
    "load_usable",
    "no_elements",
    "suite_hash",
    "text_column",
]
