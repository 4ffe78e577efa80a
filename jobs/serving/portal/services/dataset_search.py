"""Datasets that fit the words of a search."""

from collections.abc import Iterable

from jobs.contracts import Contract
from jobs.serving.portal.context import Portal


def find_datasets(portal: Portal, known: Iterable[Contract], text: str) -> list[tuple[Contract, tuple[str, ...]]]:
    """Those of the known datasets that fit every word, best first, each with the titles of the fields that the words name."""
    contracts = {contract.id: contract for contract in known}
    hits = portal.index.get().find(text, len(contracts))
    return [(contracts[hit.entry.id], hit.items) for hit in hits if hit.entry.id in contracts]
