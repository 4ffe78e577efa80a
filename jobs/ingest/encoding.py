"""The character encoding of a text file: as declared where it fits, detected where it does not, reported either way."""

import codecs
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from jobs.errors import ContractError
from jobs.ingest.notes import FileNotes
from jobs.ingest.plausible import best_guess, is_mojibake, short_gbk_taken_for_utf8
from jobs.ingest.wordings import wording

BLOCK_BYTES = 4 << 20
SAMPLE_BYTES = 1 << 20
HEAD_BYTES = 1 << 16
NUL_SHARE_OF_UTF16 = 0.2
TEXT_SHARE_OF_UTF16 = 0.98
CONTROL_SHARE_OF_JUNK = 0.02
SURE = 0.8
# UTF-32 before UTF-16: its little-endian mark begins with that of UTF-16.
BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# Files declared as GBK or GB2312 may hold characters beyond them; GB 18030 is a superset of both.
WIDER = {"gbk": "gb18030", "gb2312": "gb18030", "ascii": "utf-8"}
# Tabs, line ends, form feed, Ctrl-Z (the end of a DOS file) and Esc occur in text files too.
CONTROLS = bytes(set(range(32)) - {9, 10, 11, 12, 13, 26, 27})


@dataclass(frozen=True)
class Encoding:
    """How to turn a file into UTF-8: codec, length of the byte-order mark, and `plain`: the bytes are UTF-8 already."""

    name: str
    confidence: float
    skip: int = 0
    plain: bool = False


@dataclass(frozen=True)
class _Survey:
    """Result of one pass over the bytes: the head, whether all is valid UTF-8, and a sample of non-ASCII lines."""

    head: bytes
    utf8: bool
    sample: bytes


def detect(path: Path, declared: str, notes: FileNotes) -> Encoding:
    """The encoding to read with; DeliveryError where the file is no text at all."""
    survey = _survey(path)
    encoding = _marked(survey) or _unmarked_utf16(survey)
    if encoding is None:
        _refuse_junk(survey.head, notes)
        encoding = _auto(survey) if declared == "auto" else _declared(survey, _codec(declared))
    if declared == "auto":
        message = wording("encoding_detected", encoding=encoding.name, confidence=encoding.confidence)
        notes.say("encoding_detected", message, encoding=encoding.name, confidence=round(encoding.confidence, 3))
    elif encoding.name != _codec(declared) and not encoding.name.startswith(f"{_codec(declared)}-"):
        message = wording("encoding_differs", declared=declared, encoding=encoding.name)
        detail = {"declared": declared, "encoding": encoding.name, "confidence": round(encoding.confidence, 3)}
        notes.say("encoding_differs", message, **detail)
    # The sample is cut at line-end bytes, which may be half a character in UTF-16.
    if not encoding.name.startswith("utf-16") and is_mojibake(survey.sample.decode(encoding.name, "replace")):
        notes.say("mojibake", wording("text_garbled"))
    return encoding


def blocks(path: Path, encoding: Encoding, size: int = BLOCK_BYTES) -> Iterator[bytes]:
    """The file as UTF-8 in blocks of whole characters; undecodable bytes become the replacement character."""
    decoder = None if encoding.plain else codecs.getincrementaldecoder(encoding.name)("replace")
    rest = b""
    with path.open("rb") as stream:
        stream.seek(encoding.skip)
        while block := stream.read(size):
            if decoder is not None:
                yield decoder.decode(block).encode()
                continue
            block = rest + block
            cut = len(block) - _cut_short(block)
            rest = block[cut:]
            yield block[:cut]
    tail = rest if decoder is None else decoder.decode(b"", final=True).encode()
    if tail:
        yield tail


def _cut_short(block: bytes) -> int:
    """Number of bytes at the end that belong to an incomplete character."""
    for back in range(1, min(4, len(block) + 1)):
        byte = block[-back]
        if byte < 0x80:
            return 0
        if byte >= 0xC0:
            need = 2 if byte < 0xE0 else 3 if byte < 0xF0 else 4
            return back if need > back else 0
    return 0


def _codec(name: str) -> str:
    try:
        canonical = codecs.lookup(name).name
        "".encode(name)  # some codecs of Python are none of texts
    except (LookupError, UnicodeError) as error:
        raise ContractError(f"layout.encoding '{name}' is not a codec of Python; use auto, utf-8 or gb18030") from error
    return WIDER.get(canonical, canonical)


def _survey(path: Path) -> _Survey:
    decoder = codecs.getincrementaldecoder("utf-8")("strict")
    utf8, head, sample = True, b"", bytearray()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK_BYTES):
            head = head or block
            # An ASCII block is skipped unless the one before ended within a character, which is then invalid.
            pending = bool(decoder.getstate()[0])
            if block.isascii() and not pending:
                continue
            utf8 = utf8 and _decodes(decoder, block)
            if len(sample) < SAMPLE_BYTES:
                sample += _foreign_lines(block, first=block is head)
            if not utf8 and len(sample) >= SAMPLE_BYTES:
                break
    complete = utf8 and _decodes(decoder, b"", final=True)
    return _Survey(head[:HEAD_BYTES], complete, bytes(sample))


def _decodes(decoder: codecs.IncrementalDecoder, block: bytes, final: bool = False) -> bool:
    try:
        decoder.decode(block, final)
    except UnicodeDecodeError:
        return False
    return True


def _foreign_lines(block: bytes, first: bool) -> bytes:
    """Complete lines with a byte above 127, about as many as needed; an incomplete last line only if there is no other."""
    lines = block[: 2 * SAMPLE_BYTES].split(b"\n") if not block[: 2 * SAMPLE_BYTES].isascii() else block.split(b"\n")
    complete = [line for line in lines[0 if first else 1 : -1] if not line.isascii()]
    return b"\n".join(complete or lines[-1:]) + b"\n"


def _marked(survey: _Survey) -> Encoding | None:
    for mark, name in BOMS:
        if survey.head.startswith(mark):
            return Encoding(name, 1.0, len(mark), plain=name == "utf-8" and survey.utf8)
    return None


def _unmarked_utf16(survey: _Survey) -> Encoding | None:
    head = survey.head
    # Digits, marks and Latin letters have a zero byte in UTF-16, always on the same side.
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if even + odd >= NUL_SHARE_OF_UTF16 * len(head) and min(even, odd) <= 0.1 * max(even, odd):
        return Encoding("utf-16-le" if odd > even else "utf-16-be", 0.9)
    # Chinese alone has none but in its line ends.
    for line_end, name in ((b"\n\0", "utf-16-le"), (b"\0\n", "utf-16-be")):
        if line_end in head and _share_of_text(head[: len(head) // 2 * 2], name) >= TEXT_SHARE_OF_UTF16:
            return Encoding(name, SURE)
    return None


def _share_of_text(head: bytes, name: str) -> float:
    """Share of characters that texts are made of."""
    text = head.decode(name, "replace")
    return sum(character.isprintable() or character in "\r\n\t" for character in text) / max(1, len(text))


def _refuse_junk(head: bytes, notes: FileNotes) -> None:
    controls = len(head) - len(head.translate(None, CONTROLS))
    if controls > CONTROL_SHARE_OF_JUNK * len(head):
        raise notes.error(wording("not_text"))


def _auto(survey: _Survey) -> Encoding:
    # Longer GBK text is practically never valid UTF-8 by chance; a few characters may be.
    if survey.utf8 and not short_gbk_taken_for_utf8(survey.sample):
        return Encoding("utf-8", 1.0, plain=True)
    name, confidence = best_guess(survey.sample)
    return Encoding(name, confidence)


def _declared(survey: _Survey, codec: str) -> Encoding:
    if codec.startswith(("utf-16", "utf-32")):  # it would have been recognised
        return _auto(survey)
    if codec == "utf-8" and survey.utf8:
        return Encoding("utf-8", 1.0, plain=True)
    if not survey.sample:
        return Encoding(codec, 1.0, plain=survey.utf8)
    detected = _auto(survey)
    if survey.utf8 and detected.name == "utf-8":
        return detected
    if codec != "utf-8":
        try:
            survey.sample.decode(codec)
            return Encoding(codec, 1.0)
        except UnicodeDecodeError:
            pass
    return detected if detected.confidence >= SURE else Encoding(codec, 0.5)
