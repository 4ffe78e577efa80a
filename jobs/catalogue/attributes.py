"""What only people know of an entry of the catalogue: share and open attributes with conditions and legal basis, assessments."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from jobs.catalogue.entry import Entry
from jobs.contracts.grades import is_sensitive
from jobs.contracts.importance import TITLES as LEVELS
from jobs.errors import UserError

ShareType = Literal["unconditional", "conditional", "refused"]
SHARE_TYPES: Mapping[str, str] = {"unconditional": "无条件共享", "conditional": "有条件共享", "refused": "不予共享"}
OPEN_TYPES: Mapping[str, str] = {"unconditional": "无条件开放", "conditional": "有条件开放", "refused": "不予开放"}
METHODS: Mapping[str, str] = {"interface": "服务接口", "exchange": "批量交换", "download": "文件下载"}
"""Ways of sharing, as in the Regulation on sharing of government data, article 22."""
STATUSES: Mapping[str, str] = {"in_use": "在用", "retired": "已停用"}
CATEGORIES: Mapping[str, str] = {"1": "基础信息资源", "2": "主题信息资源", "3": "部门信息资源"}
"""The first digit of the national code."""


class Attributes(BaseModel):
    """The attributes of an entry, as one version of it states them. Texts are Chinese; empty where nothing is stated.

    A draft may lack what the law asks for; `shortcomings` names it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)

    share: Literal["", ShareType] = ""
    share_method: Literal["", "interface", "exchange", "download"] = ""
    share_conditions: str = ""
    """Scope and purpose of use; required where sharing is conditional."""
    share_basis: str = ""
    """The article of a law or decision of the State Council; required where sharing is refused."""
    opening: ShareType = "refused"
    open_conditions: str = ""
    open_basis: str = ""
    category: Literal["1", "2", "3"] = "3"
    code: str = ""
    subject: str = ""
    summary: str = ""
    secrecy_assessment: str = ""
    """Outcome and document of the assessment of secrecy risks."""
    personal_assessment: str = ""
    """Outcome and document of the assessment of the impact on personal information."""
    authoritative: bool = True
    """Whether the department is the authoritative source of its items."""
    status: Literal["in_use", "retired"] = "in_use"

    def text(self) -> str:
        """The attributes as JSON, always in one order."""
        return json.dumps(self.model_dump(), ensure_ascii=False, sort_keys=True)


TITLES: Mapping[str, str] = {
    "share": "共享属性",
    "share_method": "共享方式",
    "share_conditions": "共享条件（范围和用途）",
    "share_basis": "不予共享的依据",
    "opening": "开放属性",
    "open_conditions": "开放条件",
    "open_basis": "不予开放的依据",
    "category": "信息资源类别",
    "code": "信息资源代码",
    "subject": "所属主题",
    "summary": "摘要",
    "secrecy_assessment": "保密风险评估",
    "personal_assessment": "个人信息影响评估",
    "authoritative": "数源部门",
    "status": "状态",
}
UNSTATED = "（未填）"
CHOICES: Mapping[str, Mapping[str, str]] = {
    "share": {"": UNSTATED, **SHARE_TYPES},
    "share_method": {"": UNSTATED, **METHODS},
    "opening": OPEN_TYPES,
    "category": CATEGORIES,
    "authoritative": {"true": "是", "false": "否"},
    "status": STATUSES,
}
"""Fields with a list of values: value → Chinese name."""


@dataclass(frozen=True)
class Difference:
    """One attribute that differs between two versions, in Chinese."""

    name: str
    title: str
    before: str
    after: str


def read(text: str) -> Attributes:
    """Attributes from their JSON."""
    return Attributes.model_validate_json(text)


def parsed(stated: Mapping[str, object], entry: Entry) -> Attributes:
    """Attributes as stated for an entry, complete or not; UserError lists in Chinese, all at once, what is unknown."""
    try:
        return Attributes.model_validate(stated)
    except ValidationError as error:
        raise UserError(f"{entry.title}：{'；'.join(_said(dict(one)) for one in error.errors())}") from error


def shortcomings(found: Attributes, entry: Entry) -> list[str]:
    """What the law asks for and the attributes do not state, in Chinese."""
    needs = (*_of_sharing(found), *_of_opening(found), *_of_grade(found, entry.grade()), *_of_level(found, entry.level))
    return [said for is_wrong, said in needs if is_wrong]


def _of_sharing(found: Attributes) -> Iterator[tuple[bool, str]]:
    is_refused = found.share == "refused"
    yield not found.share, "须选择共享属性"
    yield is_refused and not found.share_basis, "不予共享须写明依据的法律、行政法规或上级决定的条款"
    yield found.share == "conditional" and not found.share_conditions, "有条件共享须写明使用的范围和用途"
    yield bool(found.share) and not is_refused and not found.share_method, "须选择共享方式"
    code = f"信息资源代码的首位须是类别 {found.category}（{CATEGORIES[found.category]}）"
    yield bool(found.code) and not found.code.startswith(found.category), code


def _of_opening(found: Attributes) -> Iterator[tuple[bool, str]]:
    yield found.opening == "refused" and not found.open_basis, "不予开放须写明依据"
    yield found.opening == "conditional" and not found.open_conditions, "有条件开放须写明开放条件"
    yield not found.secrecy_assessment, "须写明保密风险评估的结论和文件"


def _of_grade(found: Attributes, grade: str) -> Iterator[tuple[bool, str]]:
    is_personal = is_sensitive(grade)
    yield is_personal and not found.personal_assessment, f"含 {grade} 字段，须写明个人信息影响评估的结论和文件"
    is_open = is_personal and found.opening == "unconditional"
    yield is_open, f"含 {grade} 字段，不能无条件开放；请改为有条件开放或不予开放"


def _of_level(found: Attributes, level: str) -> Iterator[tuple[bool, str]]:
    is_general = level == "general"
    yield (
        not is_general and found.share == "unconditional",
        f"{LEVELS[level]}不能无条件共享；请改为有条件共享或不予共享",
    )
    yield (
        not is_general and found.opening == "unconditional",
        f"{LEVELS[level]}不能无条件开放；请改为有条件开放或不予开放",
    )


def differences(before: Attributes | None, after: Attributes) -> list[Difference]:
    """What changes from one version to the next; everything stated where there was none."""
    found = []
    for name, title in TITLES.items():
        old = shown(name, getattr(before, name)) if before else ""
        new = shown(name, getattr(after, name))
        if old != new:
            found.append(Difference(name, title, old, new))
    return found


def shown(name: str, value: object) -> str:
    """A value in Chinese."""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return CHOICES[name].get(text, text) if name in CHOICES and text else text


def _said(found: Mapping[str, Any]) -> str:
    """A mistake that pydantic found, in Chinese."""
    name = str(found["loc"][0]) if found["loc"] else ""
    title = TITLES.get(name, name)
    if found["type"] == "extra_forbidden":
        return f"没有「{title}」这一项；可以填：{'、'.join(TITLES.values())}"
    values = "、".join(title for value, title in CHOICES.get(name, {}).items() if value)
    return f"「{title}」不能是「{found['input']}」" + (f"；可以是：{values}" if values else "")
