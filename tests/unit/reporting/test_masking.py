"""What a reader sees of a value depends on its field's classification; numbers of persons are never shown."""

import json
from pathlib import Path

import pytest

from jobs.access.masking import Masking
from jobs.access.personal_numbers import masked_text, masked_tree
from jobs.contracts import Contract, Field, Source

ID = "371502200003070014"


def masks(*fields: Field) -> Masking:
    return Masking(Contract("d", "d", "1", "source", "p", "部门", "", fields, Path("d.yaml")))


def shown(value: str | None, classification: str, **declared: object) -> str:
    field = Field("f", "字段", "string", classification=classification, **declared)  # type: ignore[arg-type]
    return masks(field).value(value, ("f",))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (ID, "3715**********0014"),
        ("37150220000307001", "3715*********7001"),
        ("13806351234", "138****1234"),
        ("张三", "张*"),
        ("欧阳小明", "欧***"),
        ("E12345678", "E1*****78"),
        ("无", "无"),
        ("NULL", "NULL"),
        ("", "（空）"),
        (None, "（空）"),
        ("我住东昌府区，电话13806351234", "我**********"),
    ],
)
def test_sensitive_value_shows_only_its_ends(value: str | None, expected: str) -> None:
    assert shown(value, "L3") == expected


def test_highly_sensitive_value_is_hidden() -> None:
    assert shown(ID, "L4") == "****"


@pytest.mark.parametrize(
    "text",
    [
        f"我叫王小明{ID}，电话13806351234",
        "身份证３７１５０２２０００００３０７００１４",
        f"{ID[:6]} {ID[6:14]} {ID[14:]}",
        f"{ID[:6]}-{ID[6:14]}-{ID[14:]}",
        "37150220000307\u200b0014",
        f"{ID}{ID}",
        f"号{ID}9",
        "旧证372501900307001",
        "电话 138 0635 1234",
        "电话138-0635-1234",
        "+8613806351234",
        "座机0635-8412345",
        "卡6222021600012345670",
        "卡6222 0216 0001 2345",
    ],
)
def test_numbers_of_persons_are_starred_in_public_free_text(text: str) -> None:
    result = shown(text, "L1")
    assert "**" in result
    for hidden in ("0307", "０３０７", "8063512", "0635 1", "0635-1", "84123", "16000123", "0001"):
        assert hidden not in result


def test_identity_number_is_starred_in_a_public_code_field_too() -> None:
    assert shown(ID, "L1", pattern="^[0-9A-Z]{18}$") == "3715**********0014"
    assert shown("DH20261123000021", "L1", pattern="^DH") == "DH20261123000021"
    assert shown("91371500MA3C00001X", "L1", pattern="^.{18}$") == "91371500MA3C00001X"


def test_unseen_characters_are_made_visible() -> None:
    assert shown("A\tB\r\nC\u200b\u00a0D", "L1") == "A␉B␍␊C⟨U+200B⟩⟨U+00A0⟩D"


def test_each_part_of_a_joined_value_follows_its_own_field() -> None:
    both = masks(Field("a", "甲", "string"), Field("b", "乙", "string", classification="L3"))
    assert both.value("普通 | 张三", ("a", "b")) == "普通 | 张*"
    assert both.value("普通 | 张三 | 李四", ("a", "b")) == "普**********"


def test_field_made_from_a_sensitive_one_is_as_sensitive() -> None:
    made = Field("birth", "出生日期", "string", source=Source(derive="id_no"))
    assert (
        masks(made, Field("id_no", "证件号码", "string", classification="L3")).value("20000307", ("birth",))
        == "20****07"
    )


def test_key_is_masked_and_its_time_stands_on_the_senders_clock() -> None:
    read_at = Field("read_at", "采集时间", "timestamp", key_position=1)
    name = Field("owner", "户主", "string", classification="L3", key_position=2)
    key = json.dumps({"read_at": "2026-11-24 01:30:00", "owner": "张三丰"})
    assert masks(read_at, name).key(key) == "采集时间=2026-11-24 09:30:00，户主=张**"


def test_details_of_a_finding_are_masked_at_any_depth() -> None:
    told = json.dumps(masked_tree({"files": [f"{ID}.csv"], "count": 3, ID: {"a": [ID]}}))
    assert ID not in told and '"count": 3' in told


def test_time_stamp_in_a_file_name_stays() -> None:
    assert masked_text("water_20261124093000.csv", is_free=False) == "water_20261124093000.csv"
