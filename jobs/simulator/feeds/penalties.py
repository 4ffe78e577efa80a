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
    party,
    unknown_uscc,
)
from jobs.simulator.forms import CsvForm, ZipForm
from jobs.simulator.registers import organs
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

PENALTIES_A_DAY = 200
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


def _fined(row: Row) -> bool:
    return "罚款" in row.text("penalty_category")


def _warned(row: Row) -> bool:
    return row.cells["penalty_category"] == "警告"


FEED = Feed(
    dataset="admin_penalties",
    rows=_rows,
    form=lambda setting, file: ZipForm(CsvForm(file.headers), f"CF_{setting.day:%Y%m%d}.csv", "金额单位：万元"),
    corrects_on=3,
    values={
        "closed_party": closed_party,
        "unknown_uscc": unknown_uscc,
        "cut_identity": cut_identity,
        "in_words": in_words,
    },
    where={"is_organisation": is_organisation, "is_person": is_person, "fined": _fined, "warned": _warned},
)
