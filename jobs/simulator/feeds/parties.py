"""The party of a permit or penalty: an enterprise, or a natural person whose number may be a canary."""

from random import Random

from jobs.contracts.place import place
from jobs.simulator import identity
from jobs.simulator.register_words import canaries
from jobs.simulator.registers import Enterprise, closed_enterprise, some_enterprise
from jobs.simulator.rows import Cell, Row
from jobs.simulator.setting import Setting

CANARY_EVERY = 5


def party(setting: Setting, rng: Random, number: int) -> dict[str, Cell]:
    """The cells of the party that a decision concerns; one in six is a natural person."""
    if number % 6 == 5:
        return _person(rng, number)
    return _enterprise(some_enterprise(setting, rng))


def _enterprise(company: Enterprise) -> dict[str, Cell]:
    return {
        "subject_name": company.name,
        "subject_type": "2" if company.kind == "个体工商户" else "0",
        "uscc": company.uscc,
        "legal_rep_name": company.rep_name,
        "legal_rep_id_no": company.rep_id,
        "id_type": None,
        "id_no": None,
    }


def _person(rng: Random, number: int) -> dict[str, Cell]:
    is_canary = number // 6 % CANARY_EVERY == 0
    number_of_id = (
        rng.choice(canaries()) if is_canary else identity.identity_number(rng, rng.choice(place().counties).code)
    )
    return {
        "subject_name": identity.person_name(rng),
        "subject_type": "1",
        "uscc": None,
        "legal_rep_name": None,
        "legal_rep_id_no": None,
        "id_type": "身份证",
        "id_no": number_of_id,
    }


def is_person(row: Row) -> bool:
    """Rows about a natural person."""
    return row.cells["subject_type"] == "1"


def is_organisation(row: Row) -> bool:
    """Rows about a legal person or a self-employed one."""
    return row.cells["subject_type"] in ("0", "2")


def closed_party(row: Row, rng: Random) -> dict[str, Cell]:
    """The cells of an enterprise that has closed."""
    return _enterprise(closed_enterprise())


def in_words(row: Row, rng: Random) -> Cell:
    """The decision's day with 年, 月 and 日."""
    year, month, day = row.text("decided_date").replace("/", "-").split("-")
    return f"{year}年{int(month)}月{int(day)}日"


def unknown_uscc(row: Row, rng: Random) -> Cell:
    """A valid code of no enterprise."""
    return identity.uscc(rng, "91", place().division_code)


def cut_identity(row: Row, rng: Random) -> Cell:
    """The identity number as it was before 1999: fifteen digits."""
    number = row.text("id_no")
    return number[:6] + number[8:17]


def rounded_identity(row: Row, rng: Random) -> Cell:
    """The representative's number as a spreadsheet rounds it."""
    return identity.rounded(row.text("legal_rep_id_no"))
