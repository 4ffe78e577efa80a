"""What is promised: ODCS contracts and GX suites as frozen Python values, read without an engine."""

from jobs.contracts.layout import Acceptance, Layout, Product, Source, Write
from jobs.contracts.loader import Broken, Catalogue, load, load_usable
from jobs.contracts.model import Contract, Dimension, Field, Rule, Severity
from jobs.contracts.structure import MALFORMED, SENT, TEXT, text_column
from jobs.contracts.suites import suite_hash

__all__ = [
    "MALFORMED",
    "SENT",
    "TEXT",
    "Acceptance",
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
