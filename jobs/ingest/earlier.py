"""A delivery compared with earlier ones of its dataset: equal rows, or a covering letter with an earlier date."""

from collections.abc import Iterator
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from jobs.contracts import Contract
from jobs.ingest.wordings import wording
from jobs.lake.lake import Lake
from jobs.model.delivery import Delivery, Finding, State

STANDING = (State.LOADED, State.ACCEPTED, State.PARTLY_QUARANTINED)


@dataclass(frozen=True)
class Earlier:
    """Findings about the delivery's place among others, and the delivery that it replaces, if it repeats its rows."""

    findings: tuple[Finding, ...] = ()
    replaces: str | None = None


def earlier_deliveries(lake: Lake, contract: Contract, delivery: Delivery, digest: str) -> Earlier:
    """What the sender should know about earlier deliveries. `digest`: of the delivery's rows.

    Rows without a key that come again, with no other date on the letter, replace the equal ones: they would be doubled.
    """
    zone = ZoneInfo(lake.settings.timezone)
    same = _same_rows(lake, delivery, digest)
    findings = list(_older_letter(lake, contract, delivery, zone))
    if same is None:
        return Earlier(tuple(findings))
    is_doubled = not contract.key() and same.sent_date(zone) == delivery.sent_date(zone) and not delivery.answers
    text = wording("rows_repeated_replaced", id=same.id) if is_doubled else wording("rows_repeated", id=same.id)
    findings.append(Finding("rows_repeated", text, {"delivery": same.id}))
    return Earlier(tuple(findings), same.id if is_doubled else None)


def _same_rows(lake: Lake, delivery: Delivery, digest: str) -> Delivery | None:
    """The last earlier delivery that stands and has exactly these rows."""
    found = [
        other
        for other in lake.ledger.with_rows(delivery.dataset, digest)
        if other.seq < delivery.seq and other.state in STANDING and other.superseded_by is None
    ]
    return found[-1] if found else None


def _older_letter(lake: Lake, contract: Contract, delivery: Delivery, zone: ZoneInfo) -> Iterator[Finding]:
    """A finding where a delivery with a later date on its letter came before this one."""
    if delivery.sent_on is None or not delivery.is_regular():
        return
    day = delivery.sent_date(zone)
    others = lake.ledger.deliveries(delivery.dataset)
    later = [o for o in others if o.seq < delivery.seq and o.sent_date(zone) > day and o.is_regular()]
    if later:
        values = {"day": day, "id": later[-1].id, "later": later[-1].sent_date(zone)}
        by_letter = contract.write.order == "letter"
        text = wording("letter_decides", **values) if by_letter else wording("letter_older", **values)
        yield Finding("letter_older", text, {"delivery": later[-1].id})
