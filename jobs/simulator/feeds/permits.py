"""Permits (双公示许可): GB 18030 text with field codes; every third day in the older layout, in UTF-8 with BOM."""

from datetime import timedelta
from random import Random

from jobs.contracts.place import place
from jobs.simulator.feed import Feed, Whole
from jobs.simulator.feed_file import FeedFile
from jobs.simulator.feeds.contents import contents
from jobs.simulator.feeds.parties import (
    closed_party,
    cut_identity,
    in_words,
    is_organisation,
    is_person,
    party,
    rounded_identity,
    unknown_uscc,
)
from jobs.simulator.forms import CsvForm
from jobs.simulator.register_words import canaries
from jobs.simulator.registers import organs
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

PERMITS_A_DAY = 300


def certificates() -> tuple[str, ...]:
    """Names of the types of certificates that are issued."""
    return tuple(f"{name}证" for name, _, _ in contents().permits)


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
            "certificate_no": f"JY1{place().division_code}{serial}",
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


def _form(setting: Setting, file: FeedFile) -> CsvForm:
    if not _is_older(setting):
        return CsvForm(file.headers, "gb18030")
    older = {field: file.older_headers.get(field, code) for field, code in file.headers.items()}
    headers = {field: header for field, header in older.items() if header is not None}
    return CsvForm(headers, "utf-8-sig", {"SJC": f"{setting.day:%Y-%m-%d} 18:00:00"})


def _with_personal_id(row: Row, rng: Random) -> dict[str, Cell]:
    return {"id_type": "身份证", "id_no": canaries()[0]}


def _whole(setting: Setting) -> tuple[Whole, ...]:
    if not _is_older(setting):
        return ()
    return (Whole("old_layout", "document_name", "header"), Whole("encoding", "", "encoding"))


FEED = Feed(
    dataset="admin_permits",
    rows=_rows,
    form=_form,
    whole=_whole,
    values={
        "closed_party": closed_party,
        "unknown_uscc": unknown_uscc,
        "cut_identity": cut_identity,
        "in_words": in_words,
        "rounded_identity": rounded_identity,
        "with_personal_id": _with_personal_id,
    },
    where={"is_organisation": is_organisation, "is_person": is_person},
)
