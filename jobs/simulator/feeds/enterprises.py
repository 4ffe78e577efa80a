"""Registrations of market entities: the full register each day, as a messy workbook."""

from datetime import timedelta
from random import Random

from jobs.simulator import identity
from jobs.simulator.feed import Feed
from jobs.simulator.forms import ExcelForm
from jobs.simulator.planting import breaks, change, copied, repairs, spare, warns
from jobs.simulator.registers import Enterprise, closed_enterprise, enterprise, enterprise_count
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

HEADERS = {
    "uscc": "基本信息/统一社会信用代码",
    "enterprise_name": "基本信息/企业名称",
    "enterprise_type": "基本信息/主体类型",
    "industry_code": "基本信息/行业代码",
    "legal_rep_name": "法定代表人/姓名",
    "legal_rep_id_no": "法定代表人/证件号码",
    "contact_phone": "法定代表人/联系电话",
    "registered_capital_wan": "登记信息/注册资本(万元)",
    "currency_code": "登记信息/币种",
    "established_date": "登记信息/成立日期",
    "approved_date": "登记信息/核准日期",
    "term_from": "登记信息/经营期限自",
    "term_to": "登记信息/经营期限至",
    "division_code": "登记信息/行政区划代码",
    "address": "登记信息/住所",
    "business_scope": "登记信息/经营范围",
    "registration_authority": "登记信息/登记机关",
    "enterprise_status": "登记信息/登记状态",
    "cancelled_date": "登记信息/注吊销日期",
}
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


def _form(setting: Setting) -> ExcelForm:
    return ExcelForm(
        HEADERS,
        "登记信息",
        (f"聊城市市场主体登记信息（{setting.day:%Y年%m月%d日}）", "填报单位：聊城市市场监督管理局    单位：万元"),
        ("合计：{rows} 户", "制表人：数据专员    审核人：数据负责人"),
    )


def _letter_o(row: Row, rng: Random) -> Cell:
    return row.text("uscc")[:-1] + "O"


def _rounded(row: Row, rng: Random) -> Cell:
    return identity.rounded(row.text("legal_rep_id_no"))


def _shuffled_name(row: Row, rng: Random) -> Cell:
    return MOJIBAKE + row.text("enterprise_name")[-6:]


def _approved_early(row: Row, rng: Random) -> Cell:
    return f"{int(row.text('established_date')[:4]) - 1}-05-06"


def _both_dates(text: Cell) -> dict[str, Cell]:
    return {"established_date": text, "approved_date": text}


def _class_91(row: Row) -> bool:
    return row.spare and row.text("uscc").startswith("91")


CODE_PLANS = (
    breaks("bad_pattern", "uscc", change(_letter_o, spare), "uscc_uscc"),
    breaks("excel_damage", "uscc", change(lambda row, rng: row.text("uscc")[:15], spare), "uscc_uscc"),
    repairs("lower_case", "uscc", change(lambda row, rng: row.text("uscc").lower(), _class_91), "case"),
    warns("category_mismatch", "enterprise_type", change("个体工商户", _class_91), "self_employed_uscc"),
    breaks("bad_enum", "enterprise_status", change("正常", spare), "enterprise_status_enum"),
    repairs("synonym", "enterprise_status", change("在营", spare), "mapping", times=2),
    breaks("bad_pattern", "industry_code", change("X1234", spare), "industry_code_industry"),
    breaks("orphan_reference", "division_code", change("371599", spare), "division_code_reference"),
    warns("bad_enum", "division_code", change("371501", spare), "division_not_placeholder"),
    breaks("key_conflict", "enterprise_name", copied("聊城同码异名商贸有限公司", spare), "primary_key"),
    repairs("duplicate_row", "uscc", copied(None, spare), "duplicates", times=2),
    breaks("garbled", "enterprise_name", change(_shuffled_name, spare), "enterprise_name_readable"),
)
DAMAGED_IDENTITY = ("legal_rep_id_no_resident_id", "legal_rep_id_no_not_excel_damaged")
PERSON_PLANS = (
    breaks("missing_required", "legal_rep_name", change(None, spare), "legal_rep_name_required", times=2),
    breaks("excel_damage", "legal_rep_id_no", change("3.71502E+17", spare), *DAMAGED_IDENTITY),
    breaks("excel_damage", "legal_rep_id_no", change(_rounded, spare), *DAMAGED_IDENTITY, times=2),
    breaks(
        "implausible_identity",
        "legal_rep_id_no",
        change("111111199001011118", spare),
        "legal_rep_id_no_resident_id_not_made_up",
    ),
    breaks("bad_pattern", "contact_phone", change("1234567", spare), "contact_phone_phone"),
    warns("garbled", "legal_rep_name", change("安?", spare), "legal_rep_name_without_lost_characters"),
    repairs("full_width", "contact_phone", change("１３９０６３５００００", spare), "full_width"),
)
VALUE_PLANS = (
    breaks("order_of_dates", "approved_date", change(_approved_early, spare), "approved_not_before_established"),
    breaks(
        "order_of_dates", "term_to", change({"term_from": "2030-01-01", "term_to": "2020-01-01"}, spare), "term_ordered"
    ),
    breaks("missing_required", "cancelled_date", change({"enterprise_status": "注销"}, spare), "closed_has_date"),
    warns("unit_wrong", "registered_capital_wan", change("5,000,000", spare), "capital_plausible"),
    breaks("out_of_band", "registered_capital_wan", change("-100", spare), "registered_capital_wan_range"),
    repairs("unit_glued", "registered_capital_wan", change("1,200万元", spare), "unit"),
    repairs("unit_glued", "registered_capital_wan", change("0.5亿元", spare), "unit"),
    repairs("full_width", "registered_capital_wan", change("５００", spare), "full_width"),
    repairs("date_format", "established_date", change(_both_dates("2024年2月29日"), spare), "date_format"),
    repairs("date_format", "established_date", change(_both_dates(45351), spare), "date_format"),
    breaks("bad_date", "established_date", change("2023-02-29", spare), "established_date_type"),
)

FEED = Feed(
    dataset="enterprise_registration",
    provider="market_regulation",
    sender="聊城市市场监督管理局登记注册科",
    stem="市场主体登记_%Y%m%d.xlsx",
    key=("uscc",),
    rows=_rows,
    form=_form,
    plans=(*CODE_PLANS, *PERSON_PLANS, *VALUE_PLANS),
)
