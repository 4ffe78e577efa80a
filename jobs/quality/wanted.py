"""What an evaluation hands on besides verdicts."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from pyspark.sql import Column

from jobs.contracts import Rule
from jobs.lake.bits import AnyBit


@dataclass(frozen=True)
class Wanted:
    """What an evaluation hands on: columns of typed rows, further conditions to count, and columns made of evaluated rows.

    `columns` gives the latter by name, for the rules in the order of the mask's bits; `replaced` are columns that they
    were made from and that nobody needs any more.
    """

    keep: Sequence[str]
    also_count: Mapping[str, AnyBit] = field(default_factory=dict)
    columns: Callable[[Sequence[Rule]], Mapping[str, Column]] = lambda _: {}
    replaced: Collection[str] = ()
