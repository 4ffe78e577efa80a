"""Search over the catalogue: Chinese words, pinyin and its initials, codes, field names, synonyms.

Every distinct text of the entries (a title, a name of a field, a department) is a phrase. A word of the query finds phrases
that contain it, by pairs of characters, or whose pinyin contains it from some character on; each phrase knows its entries.
An entry is found where every word finds one of its phrases.
"""

import bisect
import itertools
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from pypinyin import Style, lazy_pinyin

from jobs.catalogue.entry import Entry

TITLE, ID, KEYWORD, DEPARTMENT, ITEM, ITEM_NAME, CODE, SUMMARY = 8.0, 8.0, 4.0, 4.0, 3.0, 2.0, 2.0, 1.0
EXACT, FIRST, WITHIN = 3.0, 2.0, 1.0
"""A phrase that is the word, begins with it, or contains it further on."""
BY_SYNONYM, BY_PINYIN, BY_INITIALS = 0.8, 0.6, 0.4
LONGEST_SPELT = 30
"""Characters of a phrase that is found by pinyin."""
FEWEST_LETTERS = 2
"""So many letters are taken as pinyin; a single one would match half of all phrases."""


@dataclass(frozen=True)
class Hit:
    """An entry that was found, and which of its items the words name, if any does."""

    entry: Entry
    score: float
    items: tuple[str, ...]


@dataclass(frozen=True)
class _Spelt:
    """Phrases by what they sound like: each spelling from each character on, sorted, and the phrase of each."""

    spellings: Sequence[str]
    phrases: Sequence[int]
    is_first: Sequence[bool]

    def of(self, word: str) -> Iterator[tuple[int, float]]:
        """Phrases with a spelling that begins with the word, and how well it fits."""
        start = bisect.bisect_left(self.spellings, word)
        for place in range(start, len(self.spellings)):
            if not self.spellings[place].startswith(word):
                return
            yield self.phrases[place], _fit(self.spellings[place], word, self.is_first[place])


class Index:
    """Finds entries; made once for a catalogue, and never changed."""

    def __init__(self, found: Iterable[Entry], synonyms: Iterable[Sequence[str]] | None = None) -> None:
        self.entries = tuple(found)
        places: dict[str, list[tuple[int, float]]] = {}
        for number, entry in enumerate(self.entries):
            for text, weight in _texts(entry):
                places.setdefault(normal(text), []).append((number, weight))
        places.pop("", None)
        self._phrases = tuple(places)
        self._numbers = {phrase: number for number, phrase in enumerate(self._phrases)}
        self._starts = np.cumsum([0, *(len(found) for found in places.values())])
        flat = [pair for pairs in places.values() for pair in pairs]
        self._entry = np.array([number for number, _ in flat], dtype=np.int64)
        self._weight = np.array([weight for _, weight in flat], dtype=np.float64)
        self._by_part = _parts(self._phrases)
        self._by_pinyin = _spelt(self._phrases, Style.NORMAL)
        self._by_initials = _spelt(self._phrases, Style.FIRST_LETTER)
        self._synonyms = _others(_shipped_synonyms() if synonyms is None else synonyms)

    def find(self, text: str, most: int = 20) -> list[Hit]:
        """The entries that fit every word of the text, best first; none for a text without words."""
        words = normal(text).split()
        if not words or not self.entries:
            return []
        fits = [self._fits(word) for word in words]
        by_word = [self._scores(fitting) for fitting in fits]
        total = np.sum(by_word, axis=0) * np.all([scores > 0 for scores in by_word], axis=0)
        best = np.lexsort((np.arange(len(total)), -total))[:most]
        named = set().union(*fits)
        return [self._hit(int(place), float(total[place]), named) for place in best if total[place] > 0]

    def _fits(self, word: str) -> dict[int, float]:
        """How well each phrase fits that does."""
        fits: dict[int, float] = {}
        for phrase, fit in self._fitting(word):
            fits[phrase] = max(fits.get(phrase, 0.0), fit)
        return fits

    def _scores(self, fits: Mapping[int, float]) -> np.ndarray:
        """For each entry, how well the best of its phrases fits; 0 where none does."""
        scores = np.zeros(len(self.entries))
        phrases = np.fromiter(fits, dtype=np.int64, count=len(fits))
        counts = self._starts[phrases + 1] - self._starts[phrases]
        offsets = np.repeat(self._starts[phrases] - np.cumsum(counts) + counts, counts)
        rows = offsets + np.arange(counts.sum())
        by_phrase = np.repeat(np.fromiter(fits.values(), dtype=np.float64, count=len(fits)), counts)
        np.maximum.at(scores, self._entry[rows], self._weight[rows] * by_phrase)
        return scores

    def _fitting(self, word: str) -> Iterator[tuple[int, float]]:
        yield from self._containing(word)
        for known in filter(word.__contains__, self._synonyms):
            for other in self._synonyms[known]:
                said = word.replace(known, other)
                yield from ((phrase, fit * BY_SYNONYM) for phrase, fit in self._containing(said))
        if len(word) >= FEWEST_LETTERS and word.isascii() and word.isalpha():
            yield from ((phrase, fit * BY_PINYIN) for phrase, fit in self._by_pinyin.of(word))
            yield from ((phrase, fit * BY_INITIALS) for phrase, fit in self._by_initials.of(word))

    def _containing(self, word: str) -> Iterator[tuple[int, float]]:
        """Phrases that contain the word."""
        pairs = {a + b for a, b in itertools.pairwise(word)} or {word}
        parts = [self._by_part.get(pair, frozenset()) for pair in pairs]
        for phrase in frozenset.intersection(*parts):
            place = self._phrases[phrase].find(word)
            if place >= 0:
                yield phrase, _fit(self._phrases[phrase], word, place == 0)

    def _hit(self, place: int, score: float, named: set[int]) -> Hit:
        entry = self.entries[place]
        numbers = self._numbers
        items = (i.title for i in entry.items if {numbers.get(normal(i.title)), numbers.get(normal(i.name))} & named)
        return Hit(entry, score, tuple(dict.fromkeys(items)))


def normal(text: str) -> str:
    """The text as compared: without differences of width and case."""
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _texts(entry: Entry) -> Iterator[tuple[str, float]]:
    yield from ((entry.title, TITLE), (entry.id, ID), (entry.department, DEPARTMENT), (entry.summary, SUMMARY))
    yield from ((keyword, KEYWORD) for keyword in entry.keywords)
    for item in entry.items:
        yield from ((item.title, ITEM), (item.name, ITEM_NAME), (item.code, CODE))


def _fit(phrase: str, word: str, is_first: bool) -> float:
    if not is_first:
        return WITHIN
    return EXACT if phrase == word else FIRST


def _parts(phrases: Sequence[str]) -> Mapping[str, frozenset[int]]:
    """Phrases by each of their characters and of their pairs of characters."""
    found: dict[str, set[int]] = {}
    for number, phrase in enumerate(phrases):
        for part in {*phrase, *(a + b for a, b in itertools.pairwise(phrase))}:
            found.setdefault(part, set()).add(number)
    return {part: frozenset(numbers) for part, numbers in found.items()}


def _spelt(phrases: Sequence[str], style: Style) -> _Spelt:
    """Phrases of Chinese characters by their spelling; a long text, such as a summary, is not spelt."""
    found = [
        ("".join(sounds[start:]), number, start == 0)
        for number, phrase in enumerate(phrases)
        if len(phrase) <= LONGEST_SPELT and not phrase.isascii()
        for sounds in [lazy_pinyin(phrase, style=style, errors=_each)]
        for start in range(len(sounds))
    ]
    found.sort()
    spellings, numbers, firsts = zip(*found, strict=True) if found else ((), (), ())
    return _Spelt(spellings, numbers, firsts)


def _each(other: str) -> Any:
    """Characters without a sound, each by itself, so that there is one entry a character."""
    return list(other)


@cache
def _shipped_synonyms() -> tuple[tuple[str, ...], ...]:
    groups = yaml.safe_load(Path(__file__).with_name("synonyms.yaml").read_text("utf-8"))
    return tuple(tuple(map(str, group)) for group in groups)


def _others(groups: Iterable[Sequence[str]]) -> Mapping[str, tuple[str, ...]]:
    """For each word, the other words of its groups."""
    others: dict[str, list[str]] = {}
    for group in groups:
        words = [normal(word) for word in group]
        for word in words:
            others.setdefault(word, []).extend(other for other in words if other != word)
    return {word: tuple(dict.fromkeys(found)) for word, found in others.items()}
