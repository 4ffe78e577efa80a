"""What a department should do next, in full sentences."""

import re

from jobs.access.personal_numbers import masked_text
from jobs.model.delivery import State
from jobs.reporting.delivery.facts import Facts
from jobs.reporting.figures import count
from jobs.reporting.labels import names


def advice(facts: Facts) -> list[str]:
    """Sentences for the head of the report: what happened, and what to do."""
    verdict = facts.verdict
    sentences = _what_happened(facts)
    if verdict and verdict.warned_rows:
        sentences.append(f"另有 {count(verdict.warned_rows)} 行带“警告”标记入库，请核对是否属实。")
    if facts.delivery.superseded_by:
        sentences.append(f"本批已被后到的批次 {facts.delivery.superseded_by} 取代，请以后者为准。")
    return sentences


def _what_happened(facts: Facts) -> list[str]:
    verdict, reason = facts.verdict, masked_text(facts.reason(), is_free=False)
    match facts.state():
        case State.UNREADABLE:
            read = f"文件未能读取：{reason or '原因未记录'}。".replace("。。", "。")
            return [read, "请按上述原因修正后重新报送；收到的文件已按原字节留存，没有任何数据入库。"]
        case State.REFUSED:
            return [f"整批拒收：{reason or '超过约定的接收限度'}。".replace("。。", "。"), _correct(facts)]
        case State.PARTLY_QUARANTINED if verdict:
            quarantined, accepted = count(verdict.failed_rows), count(verdict.good_rows)
            return [f"{accepted} 行已入库，{quarantined} 行未通过严重级规则、进入隔离区。", _correct(facts)]
        case State.ACCEPTED if verdict:
            return [f"{count(verdict.good_rows)} 行全部入库，没有需要重新报送的行。"]
        case _:
            return ["本批尚未质检，结果出来后本报告会更新。"]


def period(text: str) -> str:
    """An agreed period such as `5wd` in Chinese."""
    parts = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([a-z]+)", text)
    return f"{parts[1]} {names().periods.get(parts[2], parts[2])}" if parts else text


def _correct(facts: Facts) -> str:
    limit = facts.contract.sla.get("rectification") if facts.contract else None
    when = f"整改时限：{period(limit)}。" if limit else ""
    return f"请在本部门业务系统中按下列问题逐项改正后重新报送，平台不代为修改数据。{when}"
