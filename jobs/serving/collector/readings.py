"""The body of a request → readings, each with the very bytes that were sent; what is wrong is named by its place."""

import json
import re
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jobs.lake.broker import MOST_BYTES

MOST_BODY = 8 << 20
"""Bytes of a request, also when unpacked."""
MOST_READING = MOST_BYTES - (16 << 10)
"""A message of the broker less room for its headers."""
BLANK = re.compile(r"[ \t\r\n]*")
DECODER = json.JSONDecoder()


class Rejected(Exception):
    """A request that cannot be accepted: HTTP status, a message for people, a message for logs."""

    def __init__(self, status: int, words: str, reason: str) -> None:
        super().__init__(reason)
        self.status, self.words, self.reason = status, words, reason


@dataclass(frozen=True)
class SentReading:
    """One reading: its JSON as sent, and the device that it names."""

    value: bytes
    device: str


def unpacked(body: bytes, encoding: str) -> bytes:
    """The body without its compression; at most `MOST_BODY` bytes are unpacked."""
    if encoding not in ("", "identity", "gzip"):
        raise Rejected(415, f"不支持的压缩方式 {encoding}；请用 gzip 或不压缩", f"content encoding {encoding}")
    if encoding != "gzip":
        return body
    unpacker = zlib.decompressobj(wbits=31)
    try:
        data = unpacker.decompress(body, MOST_BODY + 1)
    except zlib.error as error:
        raise Rejected(422, "请求体不是完整的 gzip 数据，请检查压缩程序", f"gzip: {error}") from error
    if len(data) > MOST_BODY:
        raise Rejected(413, f"解压后超过 {MOST_BODY >> 20} MiB，请分批发送", f"more than {MOST_BODY} bytes unpacked")
    if not unpacker.eof:
        raise Rejected(422, "请求体的 gzip 数据不完整，请重发", "gzip: truncated")
    return data


def readings(body: bytes, device_names: Sequence[str]) -> list[SentReading]:
    """The readings of a JSON object or a list of objects; Rejected names the place of the first mistake."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Rejected(
            422, f"第 {error.start + 1} 个字节不是 UTF-8 文本", f"not UTF-8 at byte {error.start}"
        ) from error
    found = [_reading(number, value, raw, device_names) for number, (value, raw) in enumerate(_values(text), 1)]
    if not found:
        raise Rejected(422, "请求体里没有读数；应为一个 JSON 对象，或对象的列表", "no reading")
    return found


def _reading(number: int, value: Any, raw: str, device_names: Sequence[str]) -> SentReading:
    if not isinstance(value, dict):
        raise Rejected(422, f"第 {number} 条不是对象（应为 {{…}}）", f"reading {number} is no object")
    data = raw.encode()
    if len(data) > MOST_READING:
        words = f"第 {number} 条有 {len(data)} 字节，最多 {MOST_READING} 字节"
        raise Rejected(413, words, f"reading {number} has {len(data)} bytes")
    device = next((str(value[name]) for name in device_names if value.get(name) is not None), "")
    return SentReading(data, device)


def _values(text: str) -> Iterator[tuple[Any, str]]:
    """Each object with its text."""
    place = _after_blanks(text, 0)
    is_list = text[place : place + 1] == "["
    if not is_list:
        value, end = _decoded(text, place)
        _check_end(text, end)
        yield value, text[place:end]
        return
    place = _after_blanks(text, place + 1)
    while text[place : place + 1] != "]":
        value, end = _decoded(text, place)
        yield value, text[place:end]
        place = _after_blanks(text, end)
        if text[place : place + 1] == ",":
            place = _after_blanks(text, place + 1)
        elif text[place : place + 1] != "]":
            raise _broken(text, place, "expected , or ]")
    _check_end(text, place + 1)


def _decoded(text: str, place: int) -> tuple[Any, int]:
    try:
        return DECODER.raw_decode(text, place)
    except json.JSONDecodeError as error:
        raise _broken(text, error.pos, error.msg) from error
    except RecursionError as error:
        raise Rejected(422, "读数嵌套过深", "nested too deeply") from error


def _check_end(text: str, place: int) -> None:
    if _after_blanks(text, place) != len(text):
        raise _broken(text, place, "text after the end")


def _broken(text: str, place: int, reason: str) -> Rejected:
    line, column = text.count("\n", 0, place) + 1, place - text.rfind("\n", 0, place)
    return Rejected(422, f"第 {line} 行第 {column} 个字符处不是有效的 JSON", f"line {line}, column {column}: {reason}")


def _after_blanks(text: str, place: int) -> int:
    match = BLANK.match(text, place)
    return match.end() if match else place
