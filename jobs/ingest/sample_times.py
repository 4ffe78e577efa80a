"""Times written as texts, in seconds."""

import re

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from jobs.ingest.guess_values import Guess

DIRECTIVES = {"yyyy": "%Y", "MM": "%m", "M": "%m", "dd": "%d", "d": "%d", "HH": "%H", "H": "%H", "mm": "%M", "ss": "%S"}
TOKEN = re.compile(r"yyyy|MM|M|dd|d|HH|H|mm|ss|''|'([^']*)'|年|月|日|时|分")
# Not a mark for something missing: Spark's date patterns write an offset so.
OFFSET = "XXX"
"""How Spark's date patterns write an offset such as `+08:00` or `Z`."""
WITH_OFFSET = r"^(?P<wall>.+?)(?P<offset>Z|[+-]\d\d:\d\d)(?: \S+)?$"


def seconds_of(texts: pa.Array, proposed: Guess) -> np.ndarray | None:
    """Times in seconds by the first proposed format; None where it is not one of years to seconds, or not all fit."""
    times = times_of(texts, (proposed.source.get("formats") or [""])[0])
    return None if times is None or times.null_count else np.asarray(times.to_numpy())


def times_of(texts: pa.Array, form: str) -> pa.Array | None:
    """Times in seconds, null where a text does not fit the format; None where that is not one of years to seconds."""
    pattern = TOKEN.sub(lambda m: DIRECTIVES.get(m[0]) or m[1] or m[0], form.removesuffix(OFFSET))
    if "%Y" not in pattern or any(letter.isalpha() for letter in re.sub(r"%.|[T年月日时分]", "", pattern)):
        return None
    walls, offsets = _walls(pc.utf8_trim_whitespace(texts.cast(pa.string())), form)
    return pc.subtract(pc.strptime(walls, format=pattern, unit="s", error_is_null=True).cast(pa.int64()), offsets)


def _walls(texts: pa.Array, form: str) -> tuple[pa.Array, pa.Array | int]:
    """The local times, and by how many seconds each is ahead of UTC; 0 where the format has no offset."""
    if not form.endswith(OFFSET):
        return texts, 0
    parts = pc.extract_regex(texts, WITH_OFFSET)
    offsets = [_offset(text) for text in pc.struct_field(parts, "offset").to_pylist()]
    return pc.struct_field(parts, "wall"), pa.array(offsets, pa.int64())


def _offset(text: str | None) -> int | None:
    """Seconds east of Greenwich."""
    if text is None or text == "Z":
        return None if text is None else 0
    hours, minutes = text[1:].split(":")
    return (1 if text[0] == "+" else -1) * (int(hours) * 3600 + int(minutes) * 60)
