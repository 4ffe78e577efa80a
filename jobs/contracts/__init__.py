"""What is promised: ODCS contracts and GX suites as frozen Python values, read without an engine."""

from jobs.contracts.layout import Acceptance, Layout, Product, Source, Write
from jobs.contracts.loader import Broken, Catalogue, load, load_usable
from jobs.contracts.model import Beside, Contract, Dimension, Field, Rule, Severity
from jobs.contracts.names import MALFORMED, SENT, TEXT, TOLD
from jobs.contracts.structure import text_column
from jobs.contracts.suites import suite_hash

__all__ = [
    "MALFORMED",
    "SENT",
    "TEXT",
    "TOLD",
    "Acceptance",
    "Beside",
    "Broken",
    "Catalogue",
    "Contract",
    "Dimension",
    "Field",
    "Layout",
    "Product",
    "Rule",
    "Severity",
    "Source",
    "Write",
    "load",
    "load_usable",
    "suite_hash",
    "text_column",
]
