"""Checks of a delivery as a whole against earlier ones, from the ledger alone."""

from zoneinfo import ZoneInfo

from jobs import quality
from jobs.contracts import Contract
from jobs.lake.lake import Lake
from jobs.model.delivery import Delivery, State
from jobs.model.rule_result import Readings, RuleRow
from jobs.model.verdict import Verdict
from jobs.pipeline.removals import removed_rows
from jobs.reporting.history import usual_rows


def delivery_checks(
    lake: Lake, contract: Contract, delivery: Delivery, verdict: Verdict, readings: Readings | None = None
) -> list[RuleRow]:
    """Results about the delivery itself. A correction has no usual row count to be compared with."""
    zone = ZoneInfo(lake.settings.timezone)
    earlier = [d for d in lake.ledger.deliveries(contract.id) if d.seq < delivery.seq and d.is_regular()]
    counted = [(d.sent_date(zone), d.counted_rows) for d in earlier if d.counted_rows is not None]
    usual = usual_rows(delivery.sent_date(zone), counted) if delivery.is_regular() else None
    expected = (usual.low, usual.middle, usual.high) if usual else None
    removed = None if verdict.state is State.REFUSED else removed_rows(lake, contract, delivery)
    context = quality.DeliveryContext(earlier[-1] if earlier else None, expected, removed, readings)
    return quality.delivery_check_rows(contract, delivery, context, verdict)
