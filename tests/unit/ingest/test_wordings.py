"""Texts that senders read are data: each is used, and each that the code names exists."""

import ast
from collections.abc import Iterator

import pytest

from jobs.ingest.kinds import ENCRYPTED, FOREIGN
from jobs.ingest.wordings import wording, wordings
from jobs.settings import PROJECT

INGEST = PROJECT / "jobs" / "ingest"


def keys(source: str) -> Iterator[str]:
    """Keys that calls of `wording` name, each branch of a choice."""
    for call in ast.walk(ast.parse(source)):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "wording":
            chosen = call.args[0]
            branches = (chosen.body, chosen.orelse) if isinstance(chosen, ast.IfExp) else (chosen,)
            yield from (branch.value for branch in branches if isinstance(branch, ast.Constant))


def test_every_text_is_used_and_every_key_exists() -> None:
    named = {key for file in INGEST.glob("*.py") for key in keys(file.read_text("utf-8"))}
    assert named | {ENCRYPTED, *FOREIGN.values()} == set(wordings())


def test_values_are_filled_in_and_a_finding_keeps_its_placeholder_for_the_count() -> None:
    assert wording("archive_too_deep", most=3) == "压缩嵌套超过 3 层；请只压缩一层后重新报送"
    assert wording("rows_blank").format(count=2) == "跳过 2 个空行"
    assert wording("rows_malformed", what="甲") == "有 {count} 行甲，已连同原文隔离"
    with pytest.raises(KeyError):
        wording("made_up")
