"""Registrations of market entities: the full register each day, as a messy workbook."""

from datetime import timedelta
from random import Random

from jobs.simulator import identity
from jobs.simulator.feed import Feed, workbook
from jobs.simulator.registers import Enterprise, closed_enterprise, enterprise, enterprise_count
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

CLOSED_ON = "2024-06-30"
MOJIBAKE = "鑱婂煄甯傝寣骞冲尯"
"""聊城市茌平区 in UTF-8, read as GBK."""


def _rows(setting: Setting) -> list[Row]:
    closed = _row(closed_enterprise())
    closed.cells.update({"enterprise_status": "注销", "cancelled_date": CLOSED_ON})
    return [closed, *(_row(enterprise(setting, index)) for index in range(enterprise_count(setting)))]


def _row(enterprise: Enterprise) -> Row:
    established = enterprise.established.isoformat()
    cells: dict[str, Cell] = {
        "uscc": enterprise.uscc,
        "enterprise_name": enterprise.name,
        "enterprise_type": enterprise.kind,
        "industry_code": enterprise.industry,
        "legal_rep_name": enterprise.rep_name,
        "legal_rep_id_no": enterprise.rep_id,
        "contact_phone": enterprise.phone,
        "registered_capital_wan": f"{enterprise.capital_wan:,}",
        "currency_code": "人民币",
        "established_date": established,
        "approved_date": (enterprise.established + timedelta(days=3)).isoformat(),
        "term_from": established,
        "term_to": "长期",
        "division_code": enterprise.county.code,
        "address": enterprise.address,
        "business_scope": enterprise.scope,
        "registration_authority": f"{enterprise.county.name}市场监督管理局",
        "enterprise_status": "存续",
        "cancelled_date": None,
    }
    return Row(cells, spare=enterprise.spare)


def _rounded(row: Row, rng: Random) -> Cell:
    return identity.rounded(row.text("legal_rep_id_no"))


def _shuffled_name(row: Row, rng: Random) -> Cell:
    return MOJIBAKE + row.text("enterprise_name")[-6:]


def _approved_early(row: Row, rng: Random) -> Cell:
    return f"{int(row.text('established_date')[:4]) - 1}-05-06"


def _class_91(row: Row) -> bool:
    return row.spare and row.text("uscc").startswith("91")


FEED = Feed(
    dataset="enterprise_registration",
    rows=_rows,
    form=workbook,
    values={"rounded": _rounded, "shuffled_name": _shuffled_name, "approved_early": _approved_early},
    where={"class_91": _class_91},
)
