"""A message of a stream → one line of a file of JSON lines, whatever its bytes are: no message changes how others are read."""

import json
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from jobs.ingest.columns import MOST_COLUMNS

LONG = 4 * MOST_COLUMNS
"""Bytes that a message with more names than a file may have has at least."""
FIRST_LINE = b"{}"
"""A blank row of JSON lines, so that messages that are no JSON are not taken for a file of another kind, or for an empty one."""
CONTROLS = bytes(set(range(32)) - {9, 10, 13})
MARK = b"\xef\xbb\xbf"


def lines_of(values: Sequence[bytes | None]) -> list[bytes]:
    """Each message in one line, as `line` gives it; all are looked at together, and by themselves only where one needs a change."""
    sent = [value or b"" for value in values]
    return sent if _are_lines(sent) else list(map(line, sent))


def _are_lines(values: Sequence[bytes]) -> bool:
    """Whether `line` changes none of them."""
    together = b"\n".join(values)  # a character cut in two by the end of a message stays one that cannot be decoded
    if MARK in together or max(map(len, values), default=0) > LONG or together.count(b"\n") >= max(len(values), 1):
        return False
    if len(together) != len(together.translate(None, CONTROLS + b"\r")):
        return False
    with suppress(UnicodeDecodeError):
        together.decode("utf-8")
        return True
    return False


def line(value: bytes | None) -> bytes:
    """The message in one line: a text of JSON has no line breaks, so those between its parts become spaces, and digits stay.

    One that the reader of files would refuse, and all others with it, becomes a text of JSON, which is a malformed row: with
    more names than a file may have, or with bytes that no text has.
    """
    if not value:
        return b""
    value = _utf8(value)
    if len(value) != len(value.translate(None, CONTROLS)):
        return as_text(value)
    if len(value) > LONG and len(names_in(parsed(value))) > MOST_COLUMNS:
        return as_text(value)
    return value.replace(b"\r", b" ").replace(b"\n", b" ")


def as_text(value: bytes) -> bytes:
    """The message as a text of JSON, which is no reading: a malformed row, with all that was sent."""
    return json.dumps(value.decode("utf-8", "replace"), ensure_ascii=False).encode()


def file_of(lines: Sequence[bytes]) -> tuple[bytes, int]:
    """The lines as a file of JSON lines, and how many lines it has before them."""
    first = next(filter(None, lines), b"")
    above = [] if first.lstrip().startswith(b"{") else [FIRST_LINE]
    return b"".join(line + b"\n" for line in (*above, *lines)), len(above)


def parsed(value: bytes) -> Any:
    """The message's JSON; None where it is none."""
    with suppress(ValueError, RecursionError):
        return json.loads(value)
    return None


def names_in(message: Any, prefix: str = "") -> list[str]:
    """The names of a message's columns: those of nested objects begin with the names of these."""
    if not isinstance(message, dict):
        return []
    nested = ((f"{prefix}{name}", inner) for name, inner in message.items())
    return [own for name, inner in nested for own in (names_in(inner, f"{name}.") or [name])]


def _utf8(value: bytes) -> bytes:
    """The message in UTF-8 without a mark: from GB 18030 where it can be only that; what is neither keeps replacement characters."""
    value = value.removeprefix(MARK)
    with suppress(UnicodeDecodeError):
        value.decode("utf-8")
        return value
    with suppress(UnicodeDecodeError):
        if value.lstrip().startswith(b"{"):
            return value.decode("gb18030").encode()
    return value.decode("utf-8", "replace").encode()
