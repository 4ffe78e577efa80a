"""Registers of what a city makes of its data: training sets, models, scenes, solutions; their items, and what counts."""

import json
import re
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.contracts import Registry
from jobs.contracts.policy_file import PolicyPart, read_policy
from jobs.errors import Unknown, UserError

FILE = Path(__file__).parent / "registers.yaml"
Status = Literal["planned", "in_use", "retired"]
ASSETS = "asset"
"""The register of assets: an item is the registration of one dataset or product."""


class Fact(PolicyPart):
    """A fact that items state: its Chinese title, and the form of its values; text where none is named."""

    title: str
    number: bool = False
    date: bool = False
    choices: Mapping[str, str] = {}
    items_of: str = ""
    pattern: str = ""
    said: str = ""

    def fault(self, value: str) -> str:
        """What is wrong with a value, in Chinese; empty where nothing is."""
        wrong = {
            "须是数": self.number and not _is_number(value),
            "须是日期，写作 2026-01-31": self.date and not _is_date(value),
            f"可以是：{'、'.join(self.choices.values())}": bool(self.choices) and value not in self.choices,
            self.said: bool(self.pattern) and not re.fullmatch(self.pattern, value),
        }
        return next((said for said, is_wrong in wrong.items() if is_wrong), "")

    def shown(self, value: str) -> str:
        """A value in Chinese."""
        return self.choices.get(value, value)


class Register(PolicyPart):
    """A register: which facts its items require or may state, whether they are sets of rows, and what counts."""

    title: str
    prefix: str
    requires: tuple[str, ...]
    states: tuple[str, ...] = ()
    counts: tuple[str, ...]
    rows: bool = False

    def facts(self) -> tuple[str, ...]:
        """Names of its facts, in the order of its form."""
        return (*self.requires, *self.states)


class Target(PolicyPart):
    """So many items of some registers are planned; `basis`: the document that says so."""

    title: str
    registers: tuple[str, ...]
    number: int
    basis: str


class Registers(PolicyPart):
    """The registers of a city."""

    version: int
    review_days: int
    personal_grade: str
    least_score: float
    statuses: Mapping[str, str]
    facts: Mapping[str, Fact]
    registers: Mapping[str, Register]
    plan: tuple[Target, ...]
    checks: Mapping[str, str]

    def register(self, name: str) -> Register:
        """One of them; Unknown where there is none of that name."""
        if name not in self.registers:
            known = "、".join(f"{id_}（{one.title}）" for id_, one in self.registers.items())
            raise Unknown(f"没有登记册 {name}；可以是：{known}")
        return self.registers[name]


class _Stated(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


class Selection(_Stated):
    """Rows of a dataset or product: its table's version, a condition in SQL over its columns, and the columns taken."""

    dataset: str
    version: int
    condition: str = ""
    columns: tuple[str, ...]


class Certificate(_Stated):
    """What the lake found of a selection. Anyone can compute `rows` and `digest` again.

    `digest`: SHA-256 of the rows as JSON lines, in order of their text. `score` is that of the newest delivery, from 0 to
    100; `scored_delivery` names it; None and empty where no delivery was evaluated, as for products.
    """

    rows: int
    digest: str
    grade: str
    score: float | None = None
    scored_delivery: str = ""
    complete: Mapping[str, float] = {}
    """Share of rows with a value, by column."""
    at: str
    """When it was made, ISO 8601."""


class RegisterItem(_Stated):
    """An item of a register, as one version of it states it. `facts` are those of its register; without empty ones."""

    register_name: str
    id: str
    title: str
    provider: str
    datasets: tuple[str, ...]
    status: Status = "planned"
    facts: Mapping[str, str] = {}
    selection: Selection | None = None
    certificate: Certificate | None = None

    def text(self) -> str:
        """The item as JSON, always in one order."""
        return json.dumps(self.model_dump(), ensure_ascii=False, sort_keys=True)

    def related(self) -> tuple[str, ...]:
        """Ids of the training sets that it was trained on."""
        return tuple(filter(None, re.split(r"[\s,，、;；]+", self.facts.get("trained_on", ""))))


@cache
def registers() -> Registers:
    """The registers of the shipped policy."""
    return read_policy(FILE, Registers, "请参照 jobs/catalogue/registers.yaml 开头的说明")[0]


def read(text: str) -> RegisterItem:
    """An item from its JSON."""
    return RegisterItem.model_validate_json(text)


def checked(stated: Mapping[str, object], registry: Registry) -> RegisterItem:
    """An item as stated, complete or not; UserError lists in Chinese, all at once, what is unknown or wrong, or that it has no title."""
    try:
        found = RegisterItem.model_validate(stated)
    except ValidationError as error:
        said = "；".join(f"{'.'.join(map(str, one['loc']))}：{one['msg']}" for one in error.errors())
        raise UserError(f"登记内容有误：{said}") from error
    found = found.model_copy(update={"facts": {k: v.strip() for k, v in found.facts.items() if v.strip()}})
    faults = ([] if found.title else ["须写明名称"]) + _mistakes(found, registry)
    if faults:
        raise UserError(f"{found.title or found.id}：{'；'.join(faults)}")
    return found


def shortcomings(item: RegisterItem, registry: Registry) -> list[str]:
    """What an item lacks, or states against the contracts and the registers as they are now, in Chinese."""
    policy = registers()
    register = policy.register(item.register_name)
    missing = "、".join(policy.facts[name].title for name in register.requires if not item.facts.get(name))
    needs = {
        "须写明所用的数据集": not item.datasets,
        f"须写明{missing}": bool(missing),
        "须写明取自哪张表的哪些行": register.rows and item.selection is None,
    }
    lacking = [said for said, is_wrong in needs.items() if is_wrong]
    unfounded = lack_of_basis(item, item.certificate.grade) if item.certificate else ""
    return [*lacking, *([unfounded] if unfounded else []), *_mistakes(item, registry)]


def lack_of_basis(item: RegisterItem, grade: str) -> str:
    """That rows of a grade need a legal basis, in Chinese; empty where they need none, or the item states one."""
    policy = registers()
    if grade < policy.personal_grade or item.facts.get("consent_basis"):
        return ""
    return f"含 {grade} 字段，须写明{policy.facts['consent_basis'].title}"


def _mistakes(item: RegisterItem, registry: Registry) -> list[str]:
    """What is unknown or wrong, in Chinese."""
    register = registers().register(item.register_name)
    known = {contract.id for contract in (*registry.sources(), *registry.products())}
    unknown = "、".join(name for name in item.datasets if name not in known)
    faults = [f"没有数据集 {unknown}" if unknown else ""]
    faults += [_fault_of(register, name, value) for name, value in item.facts.items()]
    return list(filter(None, faults))


def _fault_of(register: Register, name: str, value: str) -> str:
    """What is wrong with a fact, in Chinese; empty where nothing is."""
    facts = registers().facts
    if name not in register.facts():
        titles = "、".join(facts[known].title for known in register.facts())
        return f"{register.title}没有「{name}」这一项；可以写：{titles}"
    fault = facts[name].fault(value)
    return f"「{facts[name].title}」{fault}" if fault else ""


def _is_number(value: str) -> bool:
    return bool(re.fullmatch(r"\d{1,9}(\.\d{1,6})?", value, re.ASCII))


def _is_date(value: str) -> bool:
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False
