"""Chinese text broken into lines: none begins with a closing mark or ends with an opening one, no number is torn."""

import re
from collections.abc import Callable

TOKENS = re.compile(r"[!-~]+|.")
NEVER_FIRST = frozenset("，。、；：？！）》」』】〕”’％…—·／＋－＝")
NEVER_LAST = frozenset("（《「『【〔“‘")


def lines(text: str, width: float, first: float, measure: Callable[[str], float]) -> list[str]:
    """The lines of a paragraph; the first is `first` narrower than the others. Widths are in what `measure` gives."""
    found: list[list[str]] = [[]]
    room = width - first
    for token in _tokens(text, width, measure):
        if found[-1] and sum(map(measure, found[-1])) + measure(token) > room:
            found.append(_carried(found[-1], token))
            room = width
        found[-1].append(token)
    return ["".join(line) for line in found]


def _tokens(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Characters, and Latin words and numbers as a whole unless one is wider than a line."""
    made: list[str] = []
    for token in TOKENS.findall(text):
        made.extend([token] if measure(token) <= width else token)
    return made


def _carried(line: list[str], token: str) -> list[str]:
    """What goes down to the next line with the token; taken off the line, which keeps at least one."""
    down: list[str] = []
    while len(line) > 1 and ((down or [token])[0][0] in NEVER_FIRST or line[-1][-1] in NEVER_LAST):
        down.insert(0, line.pop())
    return down
