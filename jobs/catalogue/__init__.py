"""What there is: an entry for each dataset and product, made from its contract, and how to find it."""

from jobs.catalogue.entry import Entry, Item, entries
from jobs.catalogue.search import Hit, Index

__all__ = ["Entry", "Hit", "Index", "Item", "entries"]
