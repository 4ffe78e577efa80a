"""The province's form, from form.yaml: columns with their titles, words and how they are compared."""

from collections.abc import Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field

from jobs.catalogue.list_import import list_words
from jobs.catalogue.search import normal
from jobs.contracts.data_file import read_data
from jobs.contracts.layout import ContractPart

FILE = Path(__file__).with_name("form.yaml")
TITLE, CODE, PROVIDER = "title", "code", "provider"
ITEM_TITLE, ITEM_NAME = "item.title", "item.name"


class Word(ContractPart):
    """A word of a list: as written, other spellings, and the values of the lake that are written so."""

    word: str
    also: tuple[str, ...] = ()
    ours: tuple[str, ...] = ()


class Column(ContractPart):
    """A column of the form; `mark` and `basis` say how sure it is, and why."""

    name: str
    title: str
    also: tuple[str, ...] = ()
    kind: Literal["text", "code", "date", "words"] = "text"
    list: str = ""
    words: tuple[Word, ...] = ()
    closed: bool = False
    compared: bool = True
    given: bool = False
    fixed: str | None = None
    mark: Literal["S", "L", "D", "U"]
    basis: str

    @cached_property
    def known_words(self) -> Mapping[str, str]:
        """Each spelling as compared, and each value of the lake, → the word as written."""
        found = {normal(text): one.word for one in self.words for text in (one.word, *one.also, *one.ours)}
        for value, spellings in list_words()["values"].get(self.list, {}).items():
            found |= dict.fromkeys(map(normal, (value, *spellings)), spellings[0])
        return found

    def written(self, value: str) -> str:
        """A value of the lake as the form writes it."""
        return self.known_words.get(normal(value), value)


class Department(ContractPart):
    """What the province calls a department."""

    code: str = ""
    names: tuple[str, ...] = ()


class Titles(ContractPart):
    """Names of the two sheets."""

    resources: str
    items: str


class JsonKeys(ContractPart):
    """Keys under which JSON documents have their rows, and rows their items; the first is written."""

    resources: tuple[str, ...] = Field(min_length=1)
    items: tuple[str, ...] = Field(min_length=1)


class Form(ContractPart):
    """The form."""

    standard: str
    titles: Titles
    json_keys: JsonKeys = Field(alias="json")
    resources: tuple[Column, ...]
    items: tuple[Column, ...]
    departments: Mapping[str, Department] = {}

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """All columns by name."""
        return {column.name: column for column in (*self.resources, *self.items)}

    @cached_property
    def headers(self) -> Mapping[str, str]:
        """Title as compared → name of the column; titles of this form come before those of departments' lists."""
        lists = list_words()["headers"]
        of_lists = {normal(title): column.name for column in self.resources for title in lists.get(column.list, ())}
        own = {normal(title): one.name for one in self.columns.values() for title in (one.title, *one.also, one.name)}
        return of_lists | own

    def written_columns(self, of: Sequence[Column]) -> tuple[Column, ...]:
        """Those that we write."""
        return tuple(column for column in of if not column.given)


@cache
def form() -> Form:
    """The shipped form; ContractError where the file is wrong."""
    return read_data(FILE, Form)
