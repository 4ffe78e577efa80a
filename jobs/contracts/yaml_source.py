"""YAML files with the line of each value, so that an error can name it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from jobs.contracts import plain_yaml
from jobs.contracts.plain_yaml import Loader, NotPlain
from jobs.errors import ContractError

PathKey = plain_yaml.PathKey


@dataclass(frozen=True)
class Document:
    """A parsed YAML file that remembers the line of every key."""

    file: Path
    data: Any
    lines: dict[tuple[PathKey, ...], int]

    def line(self, path: tuple[PathKey, ...]) -> int:
        """Line of the value at `path`, or of its nearest ancestor; 1 where none is known."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)

    def error(self, path: tuple[PathKey, ...], message: str) -> ContractError:
        """The error for the value at `path`: file, line, place, message."""
        where = ".".join(str(step) for step in path) or "document"
        return ContractError(f"{self.file}:{self.line(path)}: {where}: {message}")


def read(file: Path) -> Document:
    """The parsed file; ContractError with the line where it is not YAML or repeats a key."""
    try:
        text = file.read_text("utf-8")
        try:
            return Document(file, *plain_yaml.read(text))
        except NotPlain:
            return _composed(file, text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise ContractError(f"{file}:{mark.line + 1 if mark else 1}: not valid YAML: {error.problem}") from error
    except UnicodeDecodeError as error:
        raise ContractError(f"{file}:1: not UTF-8 (byte {error.start}); save the file as UTF-8") from error


def _composed(file: Path, text: str) -> Document:
    """Any YAML, with anchors, tags and merged keys."""
    loader = Loader(text)
    node = loader.get_single_node()
    if node is None:
        raise ContractError(f"{file}:1: the file is empty; write an ODCS document")
    lines = dict(_walk(file, node, ()))
    return Document(file, loader.construct_document(node), lines)


def _walk(file: Path, node: yaml.Node, path: tuple[PathKey, ...]) -> Iterator[tuple[tuple[PathKey, ...], int]]:
    yield path, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            if key.value in seen:
                raise ContractError(f"{file}:{key.start_mark.line + 1}: key '{key.value}' is defined twice; remove one")
            seen.add(key.value)
            yield from _walk(file, value, (*path, key.value))
            yield (*path, key.value), key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield from _walk(file, value, (*path, index))
