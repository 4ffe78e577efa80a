"""Expressions of an analysed plan as Spark prints them → how each column influences the value."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import IntEnum

from jobs.errors import UserError

TOKEN = re.compile(
    r"(?P<variable>lambda \w+#\d+)|(?P<attribute>\w+#\d+)L?|(?P<part>(?<=[\w\])])\.[A-Za-z_]\w*)|(?P<call>[A-Za-z_]\w*)\("
    r"|(?P<mark>[()\[\],])|(?P<word>[^\s()\[\],]+)"
)
AGGREGATES = frozenset(
    ("sum", "avg", "max", "min", "count", "first", "last", "any_value", "collect_list", "collect_set", "max_by", "min_by",
     "stddev", "stddev_samp", "variance", "var_samp", "median", "mode", "percentile", "approx_percentile", "bool_and",
     "bool_or", "every", "approx_count_distinct", "first_value", "last_value")
)  # fmt: skip
EXTREMES = ("max", "min")
"""Aggregates that compare whole records, so that each field of one decides on the others."""
COMPARISON = ("mark", "attribute", "word", "word", "mark", "word")
STRUCTS, WINDOW = ("struct", "named_struct"), "windowspecdefinition"


class Logic(IntEnum):
    """Direct transformations in OpenLineage's terms, the weakest first."""

    IDENTITY = 0
    TRANSFORMATION = 1
    AGGREGATION = 2


@dataclass(frozen=True)
class Influence:
    """Columns that a value is computed from, and those that decide which one it is; `parts`: the same for the fields of a record.

    `constant`: the literal that the value is in all rows.
    """

    direct: Mapping[str, Logic] = field(default_factory=dict)
    conditional: frozenset[str] = frozenset()
    window: frozenset[str] = frozenset()
    parts: Mapping[str, "Influence"] = field(default_factory=dict)
    constant: str | None = None

    def columns(self) -> frozenset[str]:
        """All columns with any influence."""
        return frozenset(self.direct) | self.conditional | self.window

    def at_least(self, logic: Logic) -> "Influence":
        """The influence of the value after such a transformation."""
        direct = {name: max(own, logic) for name, own in self.direct.items()}
        parts = {name: part.at_least(logic) for name, part in self.parts.items()}
        return replace(self, direct=direct, parts=parts, constant=None)

    def under(self, conditional: frozenset[str], window: frozenset[str] = frozenset()) -> "Influence":
        """The influence where these columns decide on the value, too."""
        parts = {name: part.under(conditional, window) for name, part in self.parts.items()}
        return replace(self, conditional=self.conditional | conditional, window=self.window | window, parts=parts)


NOTHING = Influence()


def merged(influences: Iterable[Influence]) -> Influence:
    """The influence on a value that is made from several."""
    direct: dict[str, Logic] = {}
    parts: dict[str, list[Influence]] = {}
    conditional, window = frozenset[str](), frozenset[str]()
    for one in influences:
        for name, logic in one.direct.items():
            direct[name] = max(logic, direct.get(name, logic))
        for name, part in one.parts.items():
            parts.setdefault(name, []).append(part)
        conditional, window = conditional | one.conditional, window | one.window
    return Influence(direct, conditional, window, {name: merged(same) for name, same in parts.items()})


def influence(text: str, scope: Mapping[str, Influence]) -> Influence:
    """The influence on an expression; `scope`: that on each attribute by its name and id, such as `day#12`."""
    return _Reader(text, scope).whole()


def split(text: str) -> Iterator[str]:
    """The items of a list, by its commas outside of brackets."""
    depth, start = 0, 0
    for place, char in enumerate(text):
        depth += (char in "([") - (char in ")]")
        if char == "," and depth == 0:
            yield text[start:place].strip()
            start = place + 1
    if text[start:].strip():
        yield text[start:].strip()


class _Reader:
    """Goes through the tokens of one expression once."""

    def __init__(self, text: str, scope: Mapping[str, Influence]) -> None:
        self._text, self._scope = text, scope
        self._tokens = [(str(m.lastgroup), m.group(m.lastgroup or 0)) for m in TOKEN.finditer(text)]
        self._next = 0
        self._kinds: Mapping[str, Callable[[str], Influence]] = {
            "attribute": self._attribute,
            "call": self._call,
            "variable": lambda _: NOTHING,
        }

    def whole(self) -> Influence:
        value = self._sequence()
        if self._next < len(self._tokens):
            raise UserError(
                f"this expression of the plan cannot be read / 无法读懂执行计划中的表达式: {self._text[:200]}"
            )
        return value

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._next] if self._next < len(self._tokens) else ("end", "")

    def _take(self) -> tuple[str, str]:
        token = self._peek()
        self._next += 1
        return token

    def _sequence(self, *stops: str) -> Influence:
        """Terms up to a comma, a closing bracket or one of the words; several terms are an operation."""
        terms: list[Influence] = []
        words, start = 0, self._next
        while not self._is_end(stops):
            kind, text = self._peek()
            if kind == "word":
                self._next += 1
                terms += self._keyword(text)
                words += text not in ("distinct", "CASE")
            elif kind == "part":
                self._next += 1
                terms[-1] = terms[-1].parts.get(text[1:], terms[-1]) if terms else NOTHING
            else:
                terms.append(self._term())
        value = merged(terms) if len(terms) != 1 else terms[0]
        if not terms:
            return Influence(constant=self._text_of(start))
        if len(terms) > 1:
            value = value.under(frozenset(), value.window)
        return value if len(terms) == 1 and not words else value.at_least(Logic.TRANSFORMATION)

    def _text_of(self, start: int) -> str:
        return " ".join(text for _, text in self._tokens[start : self._next])

    def _is_end(self, stops: Sequence[str]) -> bool:
        kind, text = self._peek()
        return kind == "end" or (kind == "mark" and text in ",)]") or (kind == "word" and text in stops)

    def _keyword(self, word: str) -> list[Influence]:
        if word == "CASE":
            return [self._case()]
        if word == "if":
            decides = self._term().columns()
            return [self._sequence("else").under(decides)]
        return []

    def _case(self) -> Influence:
        """`WHEN condition THEN value … ELSE value END`, of which the word CASE is read."""
        values: list[Influence] = []
        decides = frozenset[str]()
        is_possible = True
        while (word := self._take()[1]) != "END":
            if word == "WHEN":
                known = self._known_comparison()
                condition = self._sequence("THEN")
                is_possible = known is not False
                decides |= condition.columns() if known is None else frozenset()
            elif word in ("THEN", "ELSE"):
                value = self._sequence("WHEN", "ELSE", "END")
                values += [value] if is_possible or word == "ELSE" else []
            else:
                raise UserError(f"this CASE of the plan cannot be read / 无法读懂执行计划中的 CASE: {self._text[:200]}")
        return merged(values).at_least(Logic.TRANSFORMATION).under(decides)

    def _known_comparison(self) -> bool | None:
        """The result of `(attribute = literal)` ahead where the attribute is the same literal in all rows; None for all else."""
        kinds, words = zip(*(self._tokens[self._next : self._next + 6]), strict=True)
        if kinds != COMPARISON or (words[0], words[2], words[4], words[5]) != ("(", "=", ")", "THEN"):
            return None
        constant = self._attribute(words[1]).constant
        return None if constant is None else bool(constant == words[3])

    def _term(self) -> Influence:
        kind, text = self._take()
        if kind == "mark":
            items = self._items()
            return items[0] if len(items) == 1 else merged(items)
        return self._kinds[kind](text)

    def _attribute(self, text: str) -> Influence:
        if text not in self._scope:
            raise UserError(f"'{text}' of the plan is unknown at its place / 执行计划中的 {text} 没有来源")
        return self._scope[text]

    def _call(self, name: str) -> Influence:
        arguments = self._items()
        if name in STRUCTS:
            return self._struct(arguments)
        if name == WINDOW:
            return Influence(window=merged(arguments).columns())
        value = merged(arguments)
        if name in EXTREMES and value.parts:
            value = replace(value, parts={part: own.under(value.columns()) for part, own in value.parts.items()})
        return value.at_least(Logic.AGGREGATION if name in AGGREGATES else Logic.TRANSFORMATION)

    def _struct(self, values: Sequence[Influence]) -> Influence:
        """A record: its arguments are name and value in turn."""
        parts = dict(zip(self._names, values[1::2], strict=True))
        return replace(merged(values[1::2]).at_least(Logic.TRANSFORMATION), parts=parts)

    def _items(self) -> list[Influence]:
        """The items up to the closing bracket; their first words are kept, since they are the names of a record."""
        items: list[Influence] = []
        names: list[str] = []
        while self._peek() not in (("mark", ")"), ("mark", "]"), ("end", "")):
            names.append(self._peek()[1])
            items.append(self._sequence())
            if self._peek() == ("mark", ","):
                self._next += 1
        self._next += 1
        self._names = names[0::2]
        return items
