"""What a redelivery proves of a ticket's open rows."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from jobs.errors import UserError
from jobs.model.ticket import Ticket


@dataclass(frozen=True)
class Proof:
    """What a redelivery proves of failed keys: each of the `checked` ones is `mended` (corrected), remaining or absent.

    `of` is the delivery whose keys were followed, empty for all of the ticket's. `keyless` rows cannot be followed,
    `newly_broken` keys are corrected but now fail another rule, `deletion` says why keys may be absent, `fields_changed`
    are other columns that changed too. `rows_left` of `of` are still to be corrected there, where they were counted.
    `is_directed`: the delivery was sent for this ticket; others are proofs by coincidence.
    """

    delivery: str
    rule_version: str
    checked: int
    mended: int
    remaining: int
    absent: int
    newly_broken: int
    of: str = ""
    keyless: int = 0
    deletion: str = ""
    fields_changed: tuple[str, ...] = ()
    rows_left: int | None = None
    is_directed: bool = True

    def __post_init__(self) -> None:
        if min(self.checked, self.mended, self.remaining, self.absent, self.newly_broken, self.keyless) < 0:
            raise UserError("复核证明中有负数；请重新复核")
        if self.checked != self.mended + self.remaining + self.absent:
            raise UserError("复核证明的数不相符：检查数应等于已改正、未改正、未报之和；请重新复核")
        if self.checked + self.keyless == 0:
            raise UserError("复核证明没有检查任何主键，不能证明什么；请重新复核")

    def unproven(self) -> int:
        """Number of rows that prevent closing."""
        return self.remaining + self.newly_broken + self.keyless + self.missing()

    def missing(self) -> int:
        """Keys that are absent without an explanation."""
        return 0 if self.deletion else self.absent


def pooled(proofs: Sequence[Proof]) -> Proof:
    """The proofs of one delivery for one ticket combined into one, over all deliveries whose keys they follow."""
    first = proofs[0]
    if len(proofs) == 1:
        return first
    numbers = ("checked", "mended", "remaining", "absent", "newly_broken", "keyless")
    sums = {name: sum(getattr(proof, name) for proof in proofs) for name in numbers}
    rows_left = [proof.rows_left for proof in proofs if proof.rows_left is not None]
    return replace(
        first,
        **sums,
        of="、".join(proof.of for proof in proofs),
        rows_left=sum(rows_left) if rows_left else None,
        is_directed=any(proof.is_directed for proof in proofs),
    )


@dataclass(frozen=True)
class RecheckOutcome:
    """The outcome of a re-check: the ticket afterwards, and in Chinese what is proven and what remains."""

    ticket: Ticket
    is_closed: bool
    message: str
