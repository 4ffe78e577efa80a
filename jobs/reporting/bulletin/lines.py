"""Chinese text broken into lines: none begins with a closing mark or ends with an opening one, no number is split."""

import re
from collections.abc import Callable

TOKENS = re.compile(r"[!-~]+|.")
NEVER_FIRST = frozenset("，。、；：？！）》」』】〕”’％…—·／＋－＝")
NEVER_LAST = frozenset("（《「『【〔“‘")


def lines(text: str, width: float, first: float, measure: Callable[[str], float]) -> list[str]:
    """The lines of a paragraph; the first is `first` narrower than the others. Widths are in the unit of `measure`."""
    broken: list[list[str]] = [[]]
    room = width - first
    for token in _tokens(text, width, measure):
        if broken[-1] and sum(map(measure, broken[-1])) + measure(token) > room:
            broken.append(_carried(broken[-1], token))
            room = width
        broken[-1].append(token)
    return ["".join(line) for line in broken]


def _tokens(text: str, width: float, measure: Callable[[str], float]) -> list[str]:
    """Characters, and unsplit Latin words and numbers unless one is wider than a line."""
    tokens: list[str] = []
    for token in TOKENS.findall(text):
        tokens.extend([token] if measure(token) <= width else token)
    return tokens


def _carried(line: list[str], token: str) -> list[str]:
    """Tokens that move to the next line with the token; removed from the line, which retains at least one."""
    carried: list[str] = []
    while len(line) > 1 and ((carried or [token])[0][0] in NEVER_FIRST or line[-1][-1] in NEVER_LAST):
        carried.insert(0, line.pop())
    return carried
