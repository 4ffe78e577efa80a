"""The state machine as data: what it allows, and which mistakes in it are reported."""

from pathlib import Path

import pytest

from jobs.access.roles import role_labels
from jobs.collaboration.state_machine import CLOSED
from jobs.collaboration.state_machine_file import FILE, state_machine
from jobs.errors import InvalidTransition, PolicyError

MACHINE = state_machine()


@pytest.mark.parametrize(
    "way",
    [
        "found dispatch dispatched sign signed_for start fixing pass closed",
        "found confirm confirmed dispatch dispatched fall_short reopened",
        "closed recur reopened start fixing dispute disputed dismiss_dispute fixing waive waived expire_waiver reopened",
    ],
)
def test_the_way_of_an_issue(way: str) -> None:
    words = way.split()
    for state, event, after in zip(words[::2], words[1::2], words[2::2], strict=False):
        assert MACHINE.step("issue", state, event).to == after


def test_a_correction_request_is_answered_and_confirmed_or_contested() -> None:
    way = ["found", "confirm", "confirmed", "dispatch", "dispatched", "sign", "signed_for", "start", "fixing"]
    for state, event, after in zip(way[::2], way[1::2], way[2::2], strict=False):
        assert MACHINE.step("correction", state, event).to == after
    assert MACHINE.step("correction", "fixing", "answer").to == "answered"
    assert MACHINE.step("correction", "answered", "accept").to == CLOSED
    assert MACHINE.step("correction", "fixing", "find_unfounded").to == "unfounded"
    assert MACHINE.step("correction", "unfounded", "contest").to == "contested"


@pytest.mark.parametrize(
    ("kind", "ground", "to"),
    [
        ("issue", "rule_false_positive", "withdrawn"),
        ("issue", "source_right", "withdrawn"),
        ("issue", "not_ours", "dispatched"),
        ("correction", "source_right", "unfounded"),
        ("objection", "not_ours", "dispatched"),
    ],
)
def test_an_upheld_dispute_leads_where_its_ground_says(kind: str, ground: str, to: str) -> None:
    assert MACHINE.step(kind, "disputed", "uphold_dispute", ground).to == to


def test_only_a_machine_with_a_proof_closes_an_issue() -> None:
    closing = [s for s in MACHINE.steps if s.to == CLOSED and s.is_of("issue")]
    assert [(s.event, s.roles, s.requires, s.internal) for s in closing] == [
        ("pass", ("machine",), ("delivery", "proof"), True)
    ]


def test_a_step_that_is_not_possible_says_what_is() -> None:
    with pytest.raises(InvalidTransition, match="「已派单（待签收）」，不能「豁免到期」；现在可以：签收（sign）、申诉"):
        MACHINE.step("issue", "dispatched", "expire_waiver")
    with pytest.raises(InvalidTransition, match="不能「fly」；现在可以：无须办理"):
        MACHINE.step("issue", "closed", "fly")


def test_a_state_is_called_as_its_kind_calls_it() -> None:
    assert [MACHINE.label(kind, "found") for kind in MACHINE.kinds_about_data()] == ["新发现", "已提交", "已提交"]
    assert [MACHINE.face(kind, "found").clock for kind in MACHINE.kinds_about_data()] == ["none", "running", "running"]


def test_every_step_names_people_in_the_words_of_the_field() -> None:
    assert all(label for labels in (MACHINE.events, role_labels(), MACHINE.facts) for label in labels.values())
    assert set(MACHINE.events) - {"open", "retime", "comment"} == {step.event for step in MACHINE.steps}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("steps:\n", "steps:\n  - {event: confirm, form: [found], to: confirmed, roles: [machine]}\n", "不认识的键"),
        ("to: confirmed, roles: [quality_officer]}", "to: proven, roles: [quality_officer]}", "不认识的状态 proven"),
        ("to: signed_for, roles: [reporter", "to: signed_for, roles: [boss", "不认识的角色 boss"),
        ("requires: [confirmation]", "requires: [wish]", "不认识的必填事项 wish"),
        ("{event: sign,", "{event: sing,", "不认识的事件 sing"),
        ("ground: source_right, from: [disputed], to: unfounded", "ground: mood, from: [disputed], to: unfounded", "不认识的申诉类型 mood"),
        ("check: entry_complete", "check: entry_whole", "不认识的核对 entry_whole"),
        (", correction: found, objection: found,", ", objection: found,", "没有写明 correction 从哪个状态开始"),
        ("to: closed, roles: [machine], requires: [delivery, proof], internal: true", "to: closed, roles: [machine], requires: [delivery], internal: true", "不经复核证明就进入 closed"),
        (", not_machine_found: true}", "}", "不经复核证明就进入 closed"),
        ("to: closed, kinds: [correction, objection]", "to: closed, kinds: [correction, issue]", "系统发现的 issue 不能不经证明就关闭"),
        ("to: closed, roles: [machine], requires: [delivery, proof], internal: true", "to: closed, roles: [leader], requires: [proof]", "却允许人工办理"),
        ("  found: {label: 新发现", "  lost: {label: 丢失, clock: none}\n  found: {label: 新发现", "没有步骤能到达状态 lost"),
        ("{event: sign, from: [dispatched], to: signed_for", "{event: start, from: [signed_for], to: signed_for", "与第 6 步相同"),
    ],
)  # fmt: skip
def test_a_mistake_in_the_machine_is_reported_with_line_and_remedy(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    file = tmp_path / "machine.yaml"
    text = FILE.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new, 1), "utf-8")
    with pytest.raises(PolicyError) as told:
        state_machine(file)
    assert said in str(told.value) and str(told.value).startswith(f"{file}:") and "请" in str(told.value)


def test_a_state_that_reaches_no_final_state_is_reported(tmp_path: Path) -> None:
    file = tmp_path / "machine.yaml"
    text = FILE.read_text("utf-8")
    text = text.replace("  found: {label: 新发现", "  trap: {label: 陷阱, clock: none}\n  found: {label: 新发现", 1)
    step = "  - {event: supervise, from: [found], to: trap, roles: [leader]}"
    file.write_text(text.replace("steps:\n", f"steps:\n{step}\n"), "utf-8")
    with pytest.raises(PolicyError, match="进入 trap 后无法办结"):
        state_machine(file)
