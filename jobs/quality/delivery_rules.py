"""Checks of a delivery as a whole, without reading its rows: in time, as declared, readable, usable."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from jobs.contracts import Contract
from jobs.contracts.names import REMOVED_ROWS
from jobs.contracts.sla import length
from jobs.model.delivery import Delivery, State
from jobs.model.rule_result import Readings, RuleRow
from jobs.model.verdict import Verdict
from jobs.quality.wordings import wordings

MEASURED = ("integer", "number")


@dataclass(frozen=True)
class DeliveryContext:
    """What checks of a delivery compare it with.

    `last`: the dataset's last delivery before it; `usual`: its usual number of rows on similar days, as low, middle and high.
    """

    last: Delivery | None = None
    usual: tuple[float, float, float] | None = None
    removed: int | None = None
    """Rows of earlier deliveries that a full delivery removed; None for any other delivery."""
    readings: Readings | None = None
    """Readings that its points should have, and have; None where no rule names an interval."""


def delivery_check_rows(
    contract: Contract, delivery: Delivery, before: DeliveryContext, verdict: Verdict
) -> list[RuleRow]:
    """Results of the checks of a delivery. Checks that lack data are left out; an answer need only be readable."""
    if delivery.is_answer():
        return [_readable(verdict)]
    checks = [_metadata(contract, verdict), _readable(verdict)]
    if verdict.state is not State.UNREADABLE:
        checks += [*_in_time(contract, delivery, before.last, verdict), *_as_declared(delivery, verdict)]
        checks += [*_as_usual(before.usual, delivery, verdict)]
        checks += [
            _copies(verdict),
            _usable(verdict),
            *_removed(before.removed, verdict),
            *_readings(before.readings, verdict),
        ]
    return checks


def _in_time(contract: Contract, delivery: Delivery, before: Delivery | None, verdict: Verdict) -> Iterator[RuleRow]:
    every, grace = length(contract.sla.get("frequency", "")), length(contract.sla.get("latency", ""))
    if before is None or every is None or delivery.supersedes:
        return
    is_late = delivery.received_at > before.received_at + every + (grace or timedelta())
    yield _row(verdict, "delivery_in_time", (1, int(is_late)))


def _as_declared(delivery: Delivery, verdict: Verdict) -> Iterator[RuleRow]:
    declared, counted = delivery.declared_rows, delivery.counted_rows
    if declared is None or counted is None:
        return
    yield _row(verdict, "delivery_declared_rows", (max(declared, counted), abs(declared - counted)))


def _as_usual(usual: tuple[float, float, float] | None, delivery: Delivery, verdict: Verdict) -> Iterator[RuleRow]:
    """Row count of the delivery against the median of similar days; 0 rows fail within the usual band."""
    if usual is None or delivery.counted_rows is None:
        return
    low, middle, high = usual
    deviation = 0 if low <= delivery.counted_rows <= high else round(abs(delivery.counted_rows - middle))
    counts = max(round(middle), delivery.counted_rows), deviation
    yield _row(verdict, "delivery_rows_of_period", counts, rows=delivery.counted_rows, low=low, high=high)


def _copies(verdict: Verdict) -> RuleRow:
    return _row(verdict, "delivery_copies", (verdict.rows + verdict.copies, verdict.copies))


def _removed(rows: int | None, verdict: Verdict) -> Iterator[RuleRow]:
    if rows is not None:
        yield _row(verdict, REMOVED_ROWS, (verdict.rows + rows, rows))


def _readings(readings: Readings | None, verdict: Verdict) -> Iterator[RuleRow]:
    if readings is not None and readings.expected:
        missing = readings.expected - readings.received
        counted = {"expected": readings.expected, "received": readings.received}
        yield _row(verdict, "delivery_readings", (readings.expected, missing), **counted)


def _metadata(contract: Contract, verdict: Verdict) -> RuleRow:
    undocumented = [f for f in contract.fields if f.title == f.name or (f.type in MEASURED and not f.unit)]
    return _row(verdict, "delivery_metadata", (len(contract.fields), len(undocumented)))


def _readable(verdict: Verdict) -> RuleRow:
    return _row(verdict, "delivery_readable", (1, int(verdict.state is State.UNREADABLE)))


def _usable(verdict: Verdict) -> RuleRow:
    return _row(verdict, "delivery_usable", (verdict.rows, verdict.rows - verdict.good_rows))


def _row(verdict: Verdict, rule: str, counted: tuple[int, int], **values: float) -> RuleRow:
    """The result of a check: `counted` is checked and failed; `values` fill the placeholders of its message."""
    wording = wordings().checks[rule]
    return RuleRow(
        delivery=verdict.delivery,
        seq=verdict.seq,
        dataset=verdict.dataset,
        provider=verdict.provider,
        rule=rule,
        type=rule,
        severity=wording.severity,
        dimension=wording.dimension,
        indicator=wording.indicator,
        success=counted[1] == 0,
        element_count=counted[0],
        unexpected_count=counted[1],
        missing_count=0,
        fields="",
        message=wording.message.format(**values),
        remedy=wording.remedy,
        basis=wordings().basis,
        suite_hash=verdict.suite_hash,
        silver_version=verdict.silver_version,
        judged_at=verdict.judged_at,
    )
