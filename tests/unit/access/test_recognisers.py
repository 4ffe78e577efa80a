"""Kinds of personal data by their values: what is found, missed and mistaken, over columns whose kind is known."""

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random

import pyarrow as pa
import pytest

from jobs.access.recognisers import recognise, recognisers
from jobs.contracts import load
from jobs.errors import PolicyError
from jobs.pipeline.grade_suggestions import suggestions_of
from jobs.settings import PROJECT
from jobs.simulator import identity
from jobs.simulator.feeds import FEEDS
from jobs.simulator.setting import START, Setting

REGISTRY = load(PROJECT / "schemas", PROJECT / "expectations")
ROWS = 300
SIMULATED: Mapping[str, str] = {
    "admin_penalties.id_no": "resident_id",
    "admin_penalties.legal_rep_id_no": "resident_id",
    "admin_penalties.legal_rep_name": "officer_name",
    "admin_penalties.organ_code": "credit_code",
    "admin_penalties.source_organ_code": "credit_code",
    "admin_penalties.uscc": "credit_code",
    "admin_permits.id_no": "resident_id",
    "admin_permits.legal_rep_id_no": "resident_id",
    "admin_permits.legal_rep_name": "officer_name",
    "admin_permits.organ_code": "credit_code",
    "admin_permits.source_organ_code": "credit_code",
    "admin_permits.uscc": "credit_code",
    "devices.address": "address",
    "enterprise_registration.address": "address",
    "enterprise_registration.contact_phone": "phone",
    "enterprise_registration.legal_rep_id_no": "resident_id",
    "enterprise_registration.legal_rep_name": "officer_name",
    "enterprise_registration.uscc": "credit_code",
    "gas_bills.account_name": "person_name",
    "gas_bills.address": "home_address",
    "hotline_orders.address": "address",
    "hotline_orders.caller_name": "person_name",
    "hotline_orders.caller_phone": "phone",
    "water_bills.account_name": "person_name",
    "water_bills.address": "home_address",
    "water_meter_readings.account_name": "person_name",
    "water_meter_readings.address": "home_address",
    "water_meter_readings.contact_phone": "phone",
}
"""Kind of each column of the simulated city that has one; all its other columns have none."""


def cards(rng: Random) -> str:
    from stdnum import luhn

    body = "6222" + "".join(rng.choice("0123456789") for _ in range(14))
    return body + str(luhn.calc_check_digit(body))


def made_up(make: object, number: int = 40) -> list[str]:
    rng = Random("recognisers")
    return [make(rng) for _ in range(number)]  # type: ignore[operator]


IDS = made_up(lambda rng: identity.identity_number(rng, "371502"))
MOBILES, CARDS = made_up(identity.mobile), made_up(cards)
NAMES = made_up(identity.person_name)
HAND_MADE: Sequence[tuple[str, str, Sequence[str], str | None]] = (
    ("ids", "编号", IDS, "resident_id"),
    ("ids in full width", "编号", [i.translate(str.maketrans("0123456789X", "０１２３４５６７８９Ｘ")) for i in IDS], "resident_id"),
    ("ids in groups, lower case", "编号", [f"{i[:6]} {i[6:14]} {i[14:]}".lower() for i in IDS], "resident_id"),
    ("ids rounded by a spreadsheet", "编号", [identity.rounded(i) for i in IDS], "resident_id"),
    ("ids, half of them wrong", "编号", [*IDS[:25], *(i[:-1] + "?" for i in IDS[:15])], "resident_id"),
    ("codes of division, day and serial", "编号", [f"371502202601{n % 28 + 1:02d}{n:04d}" for n in range(40)], None),
    ("mobiles", "备注1", MOBILES, "phone"),
    ("mobiles with country code", "备注1", [f"+86 {m}" for m in MOBILES], "phone"),
    ("land lines", "值", [f"0635-8{n:06d}" for n in range(40)], "phone"),
    ("serials of eleven digits", "流水号", [f"202601{n:05d}" for n in range(40)], None),
    ("cards", "账号", CARDS, "bank_card"),
    ("cards in groups", "账号", [f"{c[:4]} {c[4:8]} {c[8:12]} {c[12:]}" for c in CARDS], "bank_card"),
    ("numbers of nineteen digits", "账号", [f"62{n:017d}" for n in range(40)], None),
    ("names", "列3", NAMES, "person_name"),
    ("names of four characters", "列3", [f"欧阳{n[1:]}" for n in NAMES], "person_name"),
    ("names of ethnic minorities", "列3", ["阿依古丽·买买提", "巴特尔", "扎西顿珠", "古丽娜尔"] * 10, "person_name"),
    ("officers", "负责人", NAMES, "officer_name"),
    ("townships", "乡镇", ["安庄镇", "温陈乡", "乐平铺镇", "杜郎口镇", "洪官屯镇", "冯官屯镇", "韩屯镇", "胡屯镇", "贾寨镇"] * 5, None),
    ("words for satisfaction", "评价", ["满意", "基本满意", "不满意"] * 20, None),
    ("words for states", "状态", ["元旦", "安全", "平稳", "常规", "计划", "成功", "解除", "通过", "管控"] * 5, None),
    ("companies", "单位", [f"{n}食品有限公司" for n in NAMES], None),
    ("brands", "品牌", ["金龙鱼", "康师傅", "王老吉", "李宁", "安踏", "鲁花", "徐福记", "白象", "方太"], None),
    ("homes", "位置", [f"东昌府区柳园街道兴华路{n}号院{n % 9 + 1}号楼2单元{n % 6 + 1}01室" for n in range(40)], "home_address"),
    ("house_numbers", "位置", [f"东昌府区柳园街道兴华路{n}号" for n in range(40)], "address"),
    ("roads", "位置", ["兴华路", "东昌路", "柳园路", "花园路"] * 10, None),
    ("mail", "联络", [f"user{n}@mail.cn" for n in range(40)], "email"),
    ("notes with a number in few", "说明", ["经核实，来电人反映的问题已经处理完毕", *[f"已致电 {MOBILES[0]}，对方表示满意，没有异议"]] * 3, "numbers_in_text"),
    ("notes without", "说明", ["经核实，来电人反映的问题已经处理完毕，编号 20260112"] * 5, None),
    ("nothing", "空", ["", " "], None),
)  # fmt: skip
Judged = Sequence[tuple[str, str | None, str | None]]
"""Column, its kind, and the kind that was recognised."""


def simulated() -> Judged:
    found = []
    for feed in FEEDS:
        rows, contract = feed.rows(Setting(7, START, 0.2))[:ROWS], REGISTRY.contract(feed.dataset)
        for field in contract.fields:
            seen = recognise(field.headers()[0], Counter(row.text(field.name) for row in rows))
            name = f"{feed.dataset}.{field.name}"
            found.append((name, SIMULATED.get(name), seen.kind if seen else None))
    return found


def hand_made() -> Judged:
    judged = [(name, kind, recognise(header, Counter(values))) for name, header, values, kind in HAND_MADE]
    return [(name, kind, seen.kind if seen else None) for name, kind, seen in judged]


def counts(judged: Judged) -> tuple[int, int, int]:
    """Columns recognised rightly, recognised as what they are not, and missed."""
    right = sum(seen is not None and seen == kind for _, kind, seen in judged)
    mistaken = sum(seen is not None and seen != kind for _, kind, seen in judged)
    return right, mistaken, sum(kind is not None and seen != kind for _, kind, seen in judged)


def wrong(judged: Judged) -> set[str]:
    return {name for name, kind, seen in judged if kind != seen}


def printed(title: str, judged: Judged) -> None:
    right, mistaken, missed = counts(judged)
    print(f"{title}: precision {right}/{right + mistaken}, recall {right}/{right + missed}, {len(judged)} columns")


def test_columns_of_the_simulated_city() -> None:
    """Addresses of households look like any other address: their contracts know better."""
    judged = simulated()
    printed("simulated", judged)
    assert counts(judged) == (25, 3, 3)
    assert wrong(judged) == {"gas_bills.address", "water_bills.address", "water_meter_readings.address"}


def test_hand_made_columns() -> None:
    """Brands look like names, and names of ethnic minorities do not."""
    judged = hand_made()
    printed("hand-made", judged)
    assert wrong(judged) == {"names of ethnic minorities", "brands"}
    assert counts(judged) == (17, 1, 1)


def test_only_columns_that_need_a_higher_grade_are_suggested_and_no_value_is_shown() -> None:
    contract = REGISTRY.contract("hotline_orders")
    rows = pa.table({"caller_name": NAMES, "order_no": MOBILES, "handling_unit": NAMES, "order_title": ["停气"] * 40})
    found = list(suggestions_of(contract, rows))
    assert [(s.field.name, s.field.classification, s.recognition.grade) for s in found] == [
        ("order_no", "L1", "L3"),
        ("handling_unit", "L1", "L3"),
    ]
    assert [s.recognition.words() for s in found] == [
        "电话号码：手机号码或带区号的固定电话，占 100%",
        "姓名：常见姓氏开头的两至四个汉字，占 100%",
    ]


def test_a_kind_with_an_unknown_check_is_refused(tmp_path) -> None:  # type: ignore[no-untyped-def]
    file = tmp_path / "recognisers.yaml"
    file.write_text(
        "version: 1\nkinds:\n  x: {label: 某种, grade: L3, reason: 理由, test: magic, min_share: 0.5}\n", "utf-8"
    )
    with pytest.raises(PolicyError, match=r"recognisers.yaml:3（kinds.x.test）：不认识的检查 magic"):
        recognisers(file)
