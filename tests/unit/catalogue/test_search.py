"""Search over the shipped catalogue and over made entries."""

import pytest

from jobs.catalogue import Entry, Hit, Index, Item, entries
from jobs.contracts import load
from jobs.settings import PROJECT


@pytest.fixture(scope="module")
def shipped() -> Index:
    return Index(entries(load(PROJECT / "schemas", PROJECT / "expectations")))


def entry(id_: str, title: str, *items: str, summary: str = "", keywords: tuple[str, ...] = ()) -> Entry:
    fields = tuple(Item(f"f{n}", item, "string", "", "L1") for n, item in enumerate(items))
    return Entry(id_, title, "1.0.0", False, "p", "某局", "", summary, keywords, "1d", fields)


def ids(hits: list[Hit]) -> list[str]:
    return [hit.entry.id for hit in hits]


@pytest.mark.parametrize(
    ("words", "first"),
    [
        ("水厂", "water_plant_minutes"),
        ("shuichang", "water_plant_minutes"),
        ("sczt", "enterprise_registration"),
        ("室温", "indoor_temperatures"),
        ("暖气 温度", "heat_source_minutes"),
        ("WATER_PLANT", "water_plant_minutes"),
        ("ｈｏｔｌｉｎｅ＿ｏｒｄｅｒｓ", "hotline_orders"),
    ],
)
def test_what_people_type_finds_what_they_mean(shipped: Index, words: str, first: str) -> None:
    assert ids(shipped.find(words))[0] == first


def test_a_field_is_found_by_its_title_its_initials_and_its_name_and_is_named(shipped: Index) -> None:
    for words in ("统一社会信用代码", "tyshxydm", "uscc"):
        hits = shipped.find(words)
        assert {"enterprise_registration", "admin_permits"} <= set(ids(hits))
        assert all("统一社会信用代码" in hit.items for hit in hits if hit.entry.id == "enterprise_registration")


def test_every_word_must_fit(shipped: Index) -> None:
    assert not shipped.find("室温 信用代码")
    assert not shipped.find("没有这样的数据")
    assert not shipped.find("  ")


def test_a_title_goes_before_a_field_and_a_field_before_a_summary() -> None:
    found = [entry("c", "甲", summary="含有余氯"), entry("b", "乙", "余氯"), entry("a", "余氯监测")]
    assert ids(Index(found).find("余氯")) == ["a", "b", "c"]


def test_a_whole_title_goes_before_its_beginning_and_that_before_a_part() -> None:
    found = [entry("c", "城市供水"), entry("b", "供水日报"), entry("a", "供水")]
    assert ids(Index(found, []).find("供水")) == ["a", "b", "c"]


def test_a_synonym_within_a_word_finds_less_well_than_the_word() -> None:
    found = [entry("b", "供水水质"), entry("a", "自来水水质")]
    assert ids(Index(found, [["供水", "自来水"]]).find("自来水水质")) == ["a", "b"]
    assert ids(Index(found, []).find("自来水水质")) == ["a"]


def test_words_of_several_sounds_are_spelt_by_their_context() -> None:
    assert ids(Index([entry("a", "银行网点")]).find("yinhang")) == ["a"]


def test_one_letter_is_no_pinyin_and_an_empty_catalogue_finds_nothing() -> None:
    assert not Index([entry("x1", "供水")]).find("g")
    assert not Index([]).find("供水")


def test_products_are_entries_too(shipped: Index) -> None:
    hit = shipped.find("漏损")[0]
    assert (hit.entry.is_product, hit.entry.grade()) == (True, "L1")
