"""Penalties (双公示处罚): a zipped CSV; on the third day of a week yesterday's is sent again, corrected."""

from datetime import timedelta
from random import Random

from jobs.simulator.feed import Feed
from jobs.simulator.feeds.contents import contents
from jobs.simulator.feeds.parties import (
    closed_party,
    cut_identity,
    in_words,
    is_organisation,
    is_person,
    misread_uscc,
    party,
    unknown_uscc,
)
from jobs.simulator.forms import CsvForm, ZipForm
from jobs.simulator.planting import Plan, breaks, change, copied, repairs, surviving, warns
from jobs.simulator.registers import organs
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

PENALTIES_A_DAY = 200
HEADERS = {
    "subject_name": "CF_XDR_MC",
    "subject_type": "CF_XDR_LB",
    "uscc": "CF_XDR_SHXYM",
    "old_registration_no": "CF_XDR_GSZC",
    "organisation_code": "CF_XDR_ZZJG",
    "tax_no": "CF_XDR_SWDJ",
    "legal_rep_name": "CF_FRDB",
    "legal_rep_id_no": "CF_FR_SFZH",
    "id_type": "CF_XDR_ZJLX",
    "id_no": "CF_XDR_ZJHM",
    "document_no": "CF_WSH",
    "violation_type": "CF_WFXW",
    "violation_facts": "CF_SY",
    "legal_ground": "CF_YJ",
    "penalty_category": "CF_CFLB",
    "penalty_content": "CF_NR",
    "fine_wan": "CF_NR_FK",
    "confiscated_wan": "CF_NR_WFFF",
    "revoked_certificate": "CF_NR_ZKDX",
    "decided_date": "CF_JDRQ",
    "penalty_valid_to": "CF_YXQ",
    "publish_until": "CF_GSJZQ",
    "organ_name": "CF_CFJG",
    "organ_code": "CF_CFJGDM",
    "source_organ_name": "CF_SJLY",
    "source_organ_code": "CF_SJLYDM",
    "remarks": "BZ",
}
CATEGORIES = ("警告", "罚款", "罚款;没收违法所得")


def _rows(setting: Setting) -> list[Row]:
    rng = setting.rng("penalties")
    return [_row(setting, rng, number) for number in range(setting.count(PENALTIES_A_DAY))]


def _row(setting: Setting, rng: Random, number: int) -> Row:
    violation, ground = rng.choice(contents().violations)
    organ, organ_code, mark = organs()[1 + number % (len(organs()) - 1)]
    decided = setting.day - timedelta(days=rng.randrange(1, 6))
    whom = party(setting, rng, number)
    until = None if whom["subject_type"] == "1" else (decided + timedelta(days=365)).isoformat()
    return Row(
        {
            **whom,
            **_sanction(rng),
            "document_no": f"{mark}罚字〔{setting.day.year}〕第{setting.day:%m%d}{number + 1:04d}号",
            "violation_type": violation,
            "violation_facts": f"当事人{violation}，经现场检查属实",
            "legal_ground": ground,
            "decided_date": decided.isoformat(),
            "penalty_valid_to": (decided + timedelta(days=1095)).isoformat(),
            "publish_until": until,
            "organ_name": organ,
            "organ_code": organ_code,
            "source_organ_name": organ,
            "source_organ_code": organ_code,
            "remarks": None,
        }
    )


def _sanction(rng: Random) -> dict[str, Cell]:
    category = rng.choice(CATEGORIES)
    fine = f"{rng.choice((0.05, 0.2, 0.5, 1, 3)):.2f}" if "罚款" in category else None
    confiscated = f"{rng.randrange(1, 50) / 100:.2f}" if "没收" in category else None
    return {"penalty_category": category, "penalty_content": category, "fine_wan": fine, "confiscated_wan": confiscated}


def _form(setting: Setting) -> ZipForm:
    return ZipForm(CsvForm(HEADERS), f"CF_{setting.day:%Y%m%d}.csv", "金额单位：万元")


def _fined(row: Row) -> bool:
    return "罚款" in row.text("penalty_category")


def _warned(row: Row) -> bool:
    return row.cells["penalty_category"] == "警告"


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
    surviving(breaks("orphan_reference", "uscc", change(unknown_uscc, is_organisation), "uscc_reference")),
    breaks("bad_pattern", "uscc", change(misread_uscc, is_organisation), "uscc_uscc", "uscc_reference"),
    breaks("bad_pattern", "id_no", change(cut_identity, is_person), "id_card_form"),
    warns("personal_data_in_text", "publish_until", change("2027-11-01", is_person), "person_not_published"),
    breaks(
        "garbled",
        "subject_name",
        change("聊城锟斤拷商贸有限公司", is_organisation),
        "subject_name_readable",
        "name_as_registered",
    ),
)
MONEY_PLANS = (
    surviving(breaks("fine_mismatch", "fine_wan", change(None, _fined), "fine_given")),
    breaks("fine_mismatch", "fine_wan", change("-0.50", _fined), "fine_wan_range", "fine_positive"),
    breaks("fine_mismatch", "fine_wan", change("0.50", _warned), "no_fine_without_category", times=2),
    warns("unit_wrong", "fine_wan", change("50000", _fined), "fine_plausible", times=2),
    warns("category_mismatch", "confiscated_wan", change("0.30", _warned), "confiscation_agrees_with_category"),
    repairs("unit_glued", "fine_wan", change("5000元", _fined), "unit"),
    repairs("unit_glued", "fine_wan", change("0.50万元", _fined), "unit"),
    repairs("thousands", "fine_wan", change("1,000.00", _fined), "thousands"),
    repairs("full_width", "fine_wan", change("０.５０", _fined), "full_width"),
)
DECISION_PLANS = (
    breaks("missing_required", "violation_facts", change(None), "violation_facts_required"),
    breaks("bad_enum", "penalty_category", change({"penalty_category": "罚金"}, _warned), "penalty_category_pattern"),
    breaks("order_of_dates", "publish_until", change("2020-01-01", is_organisation), "publication_after_decision"),
    warns("order_of_dates", "penalty_valid_to", change("2020-01-01"), "penalty_valid_after_decision"),
    warns("late", "decided_date", change("2025-12-15"), "sent_within_seven_working_days", times=2),
    breaks(
        "bad_date",
        "decided_date",
        change(
            {"decided_date": "2030-01-01", "penalty_valid_to": "2033-01-01", "publish_until": None}, is_organisation
        ),
        "decided_not_in_future",
    ),
    repairs("date_format", "decided_date", change(in_words), "date_format"),
    repairs("duplicate_row", "document_no", copied(), "duplicates", times=2),
    breaks("key_conflict", "penalty_content", copied("内容不同"), "primary_key"),
)

FEED = Feed(
    dataset="admin_penalties",
    provider="administrative_approval",
    sender="聊城市行政审批服务局信用专员",
    stem="CF_%Y%m%d.zip",
    key=("document_no", "organ_code", "subject_name"),
    rows=_rows,
    form=_form,
    plans=(*PARTY_PLANS, *MONEY_PLANS, *DECISION_PLANS),
    corrects_on=3,
)
