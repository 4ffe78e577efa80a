"""What can be said of a delivery as a whole, without looking at its rows: in time, as declared, readable, usable."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from jobs.contracts import Contract, Dimension
from jobs.contracts.sla import length
from jobs.model.delivery import Delivery, State
from jobs.model.rule_result import RuleRow
from jobs.model.verdict import Verdict

BASIS = "GB/T 36344-2018 信息技术 数据质量评价指标"
MEASURED = ("integer", "number")


@dataclass(frozen=True)
class EarlierDeliveries:
    """What came earlier: the dataset's last delivery; the rows that are usual on like days, as low, middle and high."""

    last: Delivery | None = None
    usual: tuple[float, float, float] | None = None


def handover_rows(contract: Contract, delivery: Delivery, before: EarlierDeliveries, verdict: Verdict) -> list[RuleRow]:
    """Results about the delivery itself. What cannot be told is left out; an answer need only be readable."""
    if delivery.is_answer():
        return [_readable(verdict)]
    checks = [_metadata(contract, verdict), _readable(verdict)]
    if verdict.state is not State.UNREADABLE:
        checks += [*_in_time(contract, delivery, before.last, verdict), *_as_declared(delivery, verdict)]
        checks += [*_as_usual(before.usual, delivery, verdict)]
        checks += [_copies(verdict), _usable(verdict)]
    return checks


@dataclass(frozen=True)
class _Measured:
    """Dimension and indicator of GB/T 36344 that a check is about, and how grave it is."""

    dimension: Dimension
    indicator: str
    severity: str = "warning"


def _in_time(contract: Contract, delivery: Delivery, before: Delivery | None, verdict: Verdict) -> Iterator[RuleRow]:
    every, grace = length(contract.sla.get("frequency", "")), length(contract.sla.get("latency", ""))
    if before is None or every is None or delivery.supersedes:
        return
    is_late = delivery.received_at > before.received_at + every + (grace or timedelta())
    words = ("本批晚于约定的更新周期", "请查明晚报原因；周期已变的，请与大数据局更新数据契约")
    yield _row(verdict, "delivery_in_time", _Measured("时效性", "0502"), words, (1, int(is_late)))


def _as_declared(delivery: Delivery, verdict: Verdict) -> Iterator[RuleRow]:
    declared, counted = delivery.declared_rows, delivery.counted_rows
    if declared is None or counted is None:
        return
    words = ("实收行数与送文单申报的行数不一致", "请核对导出是否完整，缺行的请补报，多行的请更正申报数")
    yield _row(
        verdict,
        "delivery_declared_rows",
        _Measured("完整性", "0202"),
        words,
        (max(declared, counted), abs(declared - counted)),
    )


def _as_usual(usual: tuple[float, float, float] | None, delivery: Delivery, verdict: Verdict) -> Iterator[RuleRow]:
    """Rows in the period of the delivery, beside the median of like days; within the band nothing is missed."""
    if usual is None or delivery.counted_rows is None:
        return
    low, middle, high = usual
    away = 0 if low <= delivery.counted_rows <= high else round(abs(delivery.counted_rows - middle))
    words = (
        f"本期行数与同类日期相差较大（本期 {delivery.counted_rows} 行，通常 {low:.0f} ～ {high:.0f} 行）",
        "请核对导出的时间段和范围是否完整；业务量确有变化的，请说明原因",
    )
    yield _row(
        verdict,
        "delivery_rows_of_period",
        _Measured("时效性", "0501"),
        words,
        (max(round(middle), delivery.counted_rows), away),
    )


def _copies(verdict: Verdict) -> RuleRow:
    """0303 counts repeated rows, the fewer the better."""
    words = ("整行重复报送，只保留一行", "请检查导出或补传程序是否重复发送")
    return _row(
        verdict, "delivery_copies", _Measured("准确性", "0303"), words, (verdict.rows + verdict.copies, verdict.copies)
    )


def _metadata(contract: Contract, verdict: Verdict) -> RuleRow:
    bare = [f for f in contract.fields if f.title == f.name or (f.type in MEASURED and not f.unit)]
    words = ("数据契约中有字段缺少中文名称或计量单位", "请在数据契约中补齐字段的中文名称和计量单位")
    return _row(
        verdict, "delivery_metadata", _Measured("规范性", "0103", "info"), words, (len(contract.fields), len(bare))
    )


def _readable(verdict: Verdict) -> RuleRow:
    is_lost = verdict.state is State.UNREADABLE
    words = ("文件无法读取", "请按数据契约约定的格式重新导出")
    return _row(verdict, "delivery_readable", _Measured("可访问性", "0601", "critical"), words, (1, int(is_lost)))


def _usable(verdict: Verdict) -> RuleRow:
    words = ("有数据行被隔离，使用部门暂时用不到", "请按问题清单整改被隔离的行后重新报送")
    return _row(
        verdict,
        "delivery_usable",
        _Measured("可访问性", "0602"),
        words,
        (verdict.rows, verdict.rows - verdict.good_rows),
    )


def _row(
    verdict: Verdict,
    rule: str,
    measured: _Measured,
    words: tuple[str, str],
    counted: tuple[int, int],
) -> RuleRow:
    return RuleRow(
        delivery=verdict.delivery,
        seq=verdict.seq,
        dataset=verdict.dataset,
        provider=verdict.provider,
        rule=rule,
        type=rule,
        severity=measured.severity,
        dimension=measured.dimension,
        indicator=measured.indicator,
        success=counted[1] == 0,
        element_count=counted[0],
        unexpected_count=counted[1],
        missing_count=0,
        fields="",
        message=words[0],
        remedy=words[1],
        basis=BASIS,
        suite_hash=verdict.suite_hash,
        silver_version=verdict.silver_version,
        judged_at=verdict.judged_at,
    )
