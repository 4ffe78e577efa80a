"""Texts about files for senders and reviewers, from wordings.yaml."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from jobs.contracts.data_file import read_data

FILE = Path(__file__).parent / "wordings.yaml"


@cache
def wordings() -> Mapping[str, str]:
    """All texts by key; ContractError where the file is wrong."""
    return read_data(FILE, dict[str, str])


def wording(key: str, **values: object) -> str:
    """The text of a key with the values filled in; unchanged where no value is given."""
    text = wordings()[key]
    return text.format(**values) if values else text


def listed(words: Sequence[str], counts: Mapping[str, int]) -> str:
    """The words, each with how often it occurs."""
    return "、".join(f"{word}（{counts[word]} 次）" for word in words)
