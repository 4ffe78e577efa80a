"""YAML as contracts are written, without anchors, tags and merged keys: values and lines in one pass over the parser's
events, a third of the time that nodes take.
"""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import yaml

PathKey = str | int
TEXT = "tag:yaml.org,2002:str"


class Loader(yaml.CSafeLoader):
    """YAML 1.2 booleans only: `Yes`, `No`, `on` stay strings."""


Loader.yaml_implicit_resolvers = {
    key: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:bool"]
    for key, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
Loader.add_implicit_resolver(
    "tag:yaml.org,2002:bool", re.compile(r"^(?:true|True|TRUE|false|False|FALSE)$"), list("tTfF")
)


class NotPlain(Exception):
    """The text is not in the subset of YAML that this reader parses, or is not YAML; PyYAML decides which."""


def read(text: str) -> tuple[Any, dict[tuple[PathKey, ...], int]]:
    """The value and the line of each key and item; NotPlain for any other text."""
    next_event = Loader(text).get_event
    try:
        expect(next_event(), yaml.StreamStartEvent)
        expect(next_event(), yaml.DocumentStartEvent)
        reader = _Reader(next_event)
        value = reader.value(next_event(), ())
        expect(next_event(), yaml.DocumentEndEvent)
        expect(next_event(), yaml.StreamEndEvent)
    except yaml.YAMLError as error:
        raise NotPlain from error
    return value, reader.lines


def expect(event: object, kind: type[yaml.Event]) -> None:
    """NotPlain for an event of another kind."""
    if type(event) is not kind:
        raise NotPlain


class _Reader:
    """Builds values from events, and notes their lines."""

    def __init__(self, next_event: Callable[[], Any]) -> None:
        self._next = next_event
        self.lines: dict[tuple[PathKey, ...], int] = {}

    def value(self, event: Any, path: tuple[PathKey, ...]) -> Any:
        kind = type(event)
        if kind is yaml.AliasEvent or event.anchor is not None or event.tag is not None:
            raise NotPlain
        self.lines[path] = event.start_mark.line + 1
        if kind is yaml.ScalarEvent:
            return _plain_value(event.value) if event.implicit[0] else event.value
        return self._mapping(path) if kind is yaml.MappingStartEvent else self._sequence(path)

    def _mapping(self, path: tuple[PathKey, ...]) -> dict[Any, Any]:
        values: dict[Any, Any] = {}
        while type(key := self._next()) is not yaml.MappingEndEvent:
            expect(key, yaml.ScalarEvent)
            place = (*path, key.value)
            if place in self.lines or key.anchor is not None or key.tag is not None or key.value == "<<":
                raise NotPlain
            name = _plain_value(key.value) if key.implicit[0] else key.value
            values[name] = self.value(self._next(), place)
            self.lines[place] = key.start_mark.line + 1
        return values

    def _sequence(self, path: tuple[PathKey, ...]) -> list[Any]:
        values: list[Any] = []
        while type(item := self._next()) is not yaml.SequenceEndEvent:
            values.append(self.value(item, (*path, len(values))))
        return values


def _plain_value(text: str) -> Any:
    """The value of an unquoted scalar; its first character already rules out a number, date or keyword in most cases."""
    return _resolved(text) if text[:1] in Loader.yaml_implicit_resolvers else text


@lru_cache(maxsize=4096)
def _resolved(text: str) -> Any:
    loader: Any = Loader("")
    tag = loader.resolve(yaml.ScalarNode, text, (True, False))
    return text if tag == TEXT else loader.construct_object(yaml.ScalarNode(tag, text))
