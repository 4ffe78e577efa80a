"""The policy of access is one table; a mistake in it is reported with line and remedy."""

from pathlib import Path

import pytest

from jobs.access.policy import FILE, access_policy
from jobs.errors import PolicyError


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("L3: ends, L4: hidden}", "L3: ends}", "缺少分级 L4"),
        ("L3: ends, L4: hidden}", "L3: ends, L4: hidden, L5: hidden}", "不认识的分级 L5"),
        ("L3: ends, L4: hidden}", "L3: half, L4: hidden}", "值不对"),
        ("grades: {L1: 公开, ", "grades: {", "缺少分级 L1"),
        ("leader: {label: 督办领导, scope: city, reads: outsider}", "leader: {label: 督办领导, scope: city, reads: all}", "不认识的视图 all"),
        ("scope: city, reads: outsider}", "scope: city, reads: outsider, reads_own: owner}", "没有本部门的数据"),
        ("reads_own: owner}", "reads_own: mine}", "不认识的视图 mine"),
        ("  audit: [auditor]\n", "  audit: [boss]\n", "不认识的角色 boss"),
        ("  audit: [auditor]\n", "", "缺少权限 audit"),
        ("  audit: [auditor]\n", "  audit: [auditor]\n  fly: [auditor]\n", "值不对"),
        ("scope: lake, ", "scop: lake, ", "不认识的键"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_policy_is_reported_with_line_and_remedy(
    tmp_path: Path, old: str, new: str, expected: str
) -> None:
    file = tmp_path / "policy.yaml"
    text = FILE.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(PolicyError) as error:
        access_policy(file)
    assert expected in str(error.value) and str(error.value).startswith(f"{file}:") and "请" in str(error.value)
