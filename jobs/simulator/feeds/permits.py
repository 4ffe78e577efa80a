"""Permits (双公示许可): GB 18030 text with field codes; every third day in the older layout, in UTF-8 with BOM."""

from datetime import timedelta
from random import Random

from jobs.simulator.feed import Feed, Whole
from jobs.simulator.feeds.contents import contents
from jobs.simulator.feeds.parties import (
    closed_party,
    cut_identity,
    in_words,
    is_organisation,
    is_person,
    misread_uscc,
    party,
    rounded_identity,
    unknown_uscc,
)
from jobs.simulator.forms import CsvForm
from jobs.simulator.identity import CANARIES
from jobs.simulator.planting import Plan, breaks, change, copied, misshapen, repairs, warns
from jobs.simulator.registers import organs
from jobs.simulator.rows import Row
from jobs.simulator.setting import Setting

PERMITS_A_DAY = 300
HEADERS = {
    "subject_name": "XK_XDR_MC",
    "subject_type": "XK_XDR_LB",
    "uscc": "XK_XDR_SHXYM",
    "old_registration_no": "XK_XDR_GSZC",
    "organisation_code": "XK_XDR_ZZJG",
    "tax_no": "XK_XDR_SWDJ",
    "institution_no": "XK_XDR_SYDW",
    "social_organisation_no": "XK_XDR_SHZZ",
    "legal_rep_name": "XK_FRDB",
    "legal_rep_id_no": "XK_FR_SFZH",
    "id_type": "XK_XDR_ZJLX",
    "id_no": "XK_XDR_ZJHM",
    "document_name": "XK_XKWS",
    "document_no": "XK_WSH",
    "permit_category": "XK_XKLB",
    "certificate_name": "XK_XKZS",
    "certificate_no": "XK_XKBH",
    "permit_content": "XK_NR",
    "decided_date": "XK_JDRQ",
    "valid_from": "XK_YXQZ",
    "valid_to": "XK_YXQZI",
    "organ_name": "XK_XKJG",
    "organ_code": "XK_XKJGDM",
    "permit_status": "XK_ZT",
    "source_organ_name": "XK_LYDW",
    "source_organ_code": "XK_LYDWDM",
    "remarks": "BZ",
}
OLDER = {
    "subject_name": "XK_XDR",
    "subject_type": "XK_XDR_TYPE",
    "organisation_code": "XK_XDR_ZDM",
    "legal_rep_name": "XK_FR",
    "id_no": "XK_XDR_SFZ",
    "document_name": "XK_XMMC",
    "permit_category": "XK_SPLB",
    "valid_to": "XK_JZQ",
    "organ_code": "DFBM",
}
NOT_IN_OLDER = ("institution_no", "social_organisation_no", "certificate_name", "certificate_no")


def _is_older(setting: Setting) -> bool:
    return setting.number() % 3 == 2


def _rows(setting: Setting) -> list[Row]:
    rng = setting.rng("permits")
    return [_row(setting, rng, number) for number in range(setting.count(PERMITS_A_DAY))]


def _row(setting: Setting, rng: Random, number: int) -> Row:
    name, category, content = rng.choice(contents().permits)
    organ, organ_code, mark = organs()[0]
    decided = setting.day - timedelta(days=rng.randrange(1, 6))
    serial = f"{setting.day:%m%d}{number + 1:04d}"
    return Row(
        {
            **party(setting, rng, number),
            "document_name": f"{name}决定书",
            "document_no": f"{mark}审许字〔{setting.day.year}〕第{serial}号",
            "permit_category": category,
            "certificate_name": f"{name}证",
            "certificate_no": f"JY1371500{serial}",
            "permit_content": content,
            "decided_date": f"{decided:%Y/%m/%d}",
            "valid_from": f"{decided:%Y/%m/%d}",
            "valid_to": "2099/12/31"
            if number % 10 == 0
            else f"{decided.replace(year=decided.year + 5, day=1):%Y/%m/%d}",
            "organ_name": organ,
            "organ_code": organ_code,
            "permit_status": "1",
            "source_organ_name": organ,
            "source_organ_code": organ_code,
            "remarks": None,
        }
    )


def _form(setting: Setting) -> CsvForm:
    if not _is_older(setting):
        return CsvForm(HEADERS, "gb18030")
    headers = {field: OLDER.get(field, code) for field, code in HEADERS.items() if field not in NOT_IN_OLDER}
    return CsvForm(headers, "utf-8-sig", {"SJC": f"{setting.day:%Y-%m-%d} 18:00:00"})


def _whole(setting: Setting) -> tuple[Whole, ...]:
    if not _is_older(setting):
        return ()
    return (Whole("old_layout", "document_name", "header"), Whole("encoding", "", "encoding"))


PARTY_PLANS = (
    warns("category_mismatch", "uscc", change(closed_party, is_organisation), "subject_not_closed"),
    warns("category_mismatch", "subject_name", change("聊城改名商贸有限公司", is_organisation), "name_as_registered"),
    Plan(
        "category_mismatch",
        "legal_rep_name",
        change("岳鹏举", is_organisation),
        ("legal_rep_as_registered",),
        severity="info",
    ),
    breaks("missing_required", "uscc", change(None, is_organisation), "organisation_has_uscc", times=2),
    breaks("orphan_reference", "uscc", change(unknown_uscc, is_organisation), "uscc_reference", times=2),
    breaks("bad_pattern", "uscc", change(misread_uscc, is_organisation), "uscc_uscc", "uscc_reference"),
    breaks("bad_enum", "subject_type", change("9", is_organisation), "subject_type_enum"),
    repairs("synonym", "subject_type", change("自然人", is_person), "mapping"),
    breaks("missing_required", "id_no", change(None, is_person), "person_has_id_no"),
    breaks("bad_pattern", "id_no", change(cut_identity, is_person), "id_card_form"),
    warns(
        "category_mismatch",
        "id_no",
        change({"id_type": "身份证", "id_no": CANARIES[0]}, is_organisation),
        "organisation_without_personal_id",
    ),
    breaks(
        "excel_damage",
        "legal_rep_id_no",
        change(rounded_identity, is_organisation),
        "legal_rep_id_no_resident_id",
        "legal_rep_id_no_not_excel_damaged",
    ),
    warns(
        "garbled",
        "subject_name",
        change("聊城□□商贸有限公司", is_organisation),
        "subject_name_without_lost_characters",
        "name_as_registered",
    ),
)
DECISION_PLANS = (
    breaks("missing_required", "document_no", change(None), "document_no_required"),
    breaks("bad_pattern", "document_no", change("12"), "document_no_length", "document_no_has_year"),
    breaks(
        "order_of_dates", "valid_to", change({"valid_from": "2028/01/01", "valid_to": "2027/01/01"}), "validity_ordered"
    ),
    warns("order_of_dates", "valid_from", change("2020/01/01"), "valid_not_before_decision"),
    breaks("bad_date", "decided_date", change("2026/02/30"), "decided_date_type"),
    warns("late", "decided_date", change("2025/12/15"), "sent_within_seven_working_days", times=2),
    breaks(
        "bad_date",
        "decided_date",
        change({"decided_date": "2030/01/01", "valid_from": "2030/01/01", "valid_to": "2099/12/31"}, is_organisation),
        "decided_not_in_future",
    ),
    repairs("date_format", "decided_date", change(in_words), "date_format", times=2),
    breaks("bad_enum", "permit_category", change("许可"), "permit_category_enum"),
    repairs("synonym", "permit_category", change("普通许可"), "mapping", times=2),
    breaks("bad_pattern", "organ_code", change("12371500493123454J"), "organ_code_pattern"),
    repairs("lower_case", "uscc", change(lambda row, rng: row.text("uscc").lower(), is_organisation), "case"),
    breaks("malformed_row", "remarks", misshapen(2), "row_shape"),
    breaks("malformed_row", "remarks", misshapen(-2), "row_shape"),
    repairs("duplicate_row", "document_no", copied(), "duplicates", times=3),
    breaks("key_conflict", "permit_content", copied("内容不同"), "primary_key"),
)

FEED = Feed(
    dataset="admin_permits",
    provider="administrative_approval",
    sender="聊城市行政审批服务局信用专员",
    stem="XK_%Y%m%d.csv",
    key=("document_no", "organ_code", "subject_name"),
    rows=_rows,
    form=_form,
    plans=(*PARTY_PLANS, *DECISION_PLANS),
    whole=_whole,
)
