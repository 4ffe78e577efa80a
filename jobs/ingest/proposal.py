"""A file of a new dataset → a contract for review, with the reason for every guess as a comment."""

import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import yaml

from jobs.contracts import Elements, Layout, no_elements
from jobs.ingest.archive import Opener
from jobs.ingest.draft_sample import Profile, data_files, sampled
from jobs.ingest.guess_element import FieldName, field_name
from jobs.ingest.guess_key import KeyGuess, guess_key
from jobs.ingest.guess_layout import GuessedLayout, guess_layout
from jobs.ingest.guess_numbers import decimal_mark
from jobs.ingest.guess_rules import Sample, rule_comments
from jobs.ingest.guess_units import header_unit
from jobs.ingest.guess_values import Column, Guess, guess
from jobs.ingest.guess_zone import zone_comments
from jobs.ingest.headers import suffixed
from jobs.ingest.kinds import LocalFile, files_below
from jobs.ingest.notes import FileNotes, Notes
from jobs.ingest.wordings import wording

NO_ELEMENTS = no_elements()
RESERVED = re.compile(r"^[a-z][a-z0-9_]*$")


def propose(file: LocalFile, dataset: str, provider: str, scratch: Path, elements: Elements = NO_ELEMENTS) -> str:
    """A contract in YAML that loads and reads this file, or the files of this folder or archive, with shared elements where they fit; DeliveryError for an unreadable file."""
    notes = Notes()
    folder = Path(tempfile.mkdtemp(prefix="proposal-", dir=scratch))
    try:
        opener = Opener(Layout(), folder, notes)
        parts = [part for member in _members(file) for part in opener.open(member)]
        if not parts:
            raise FileNotes(file.name, notes).error(wording("archive_empty"))
        parts = data_files(parts)
        part = parts[0]
        layout = guess_layout(part.path, FileNotes(part.name, notes))
        if part.name != file.name:
            suffix = part.path.suffix or Path(part.name).suffix
            layout.put(wording("archive_files", files=len(parts)), files=f"*{suffix}")
        profile = sampled(parts, layout)
        if profile.own < 2:
            layout.comments.append(wording("one_column"))
        return _document(dataset, provider, file.name, layout, _Draft.of(profile, elements))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _members(file: LocalFile) -> list[LocalFile]:
    """The file, or those of a folder, by their paths in it."""
    if not file.path.is_dir():
        return [file]
    return [LocalFile(name, path) for name, path in files_below(file.path)]


@dataclass(frozen=True)
class _Draft:
    """What is proposed for each column, and the key."""

    profile: Profile
    guesses: dict[int, Guess]
    names: dict[int, FieldName]
    key: KeyGuess

    @classmethod
    def of(cls, profile: Profile, elements: Elements) -> "_Draft":
        """The guesses for a file's sampled rows."""
        counts = {i: _counts(array) for i, array in profile.columns.items()}
        decimal = decimal_mark(value_counts for i, value_counts in counts.items() if i not in profile.types)
        guesses = {i: _guess(i, profile, value_counts, decimal) for i, value_counts in counts.items()}
        names = _names(profile, guesses, counts, elements)
        plain_names = {i: name.name for i, name in names.items()}
        return cls(profile, guesses, names, guess_key(profile.columns, profile.header, guesses, plain_names))

    def rules(self) -> list[str]:
        """Candidate rules, from what the columns mean."""
        names = self.plain_names()
        return rule_comments(Sample(self.profile.columns, self.profile.header, self.guesses, names, self.key.key))

    def zones(self) -> list[str]:
        """The zone in which local times are read, and what the times themselves show of theirs."""
        local = [self.names[i].name for i, one in self.guesses.items() if one.is_local_time()]
        asked = [wording("time_zone", names="、".join(local), zone=Layout().timezone)] if local else []
        return [*asked, *zone_comments(self.profile.columns, self.guesses, self.plain_names())]

    def plain_names(self) -> dict[int, str]:
        """The fields' names by position."""
        return {i: name.name for i, name in self.names.items()}

    def sampled(self) -> str:
        """Which rows the guesses are from."""
        return f"前 {self.profile.rows} 行" if self.profile.more else f"全部 {self.profile.rows} 行"


def _document(dataset: str, provider: str, file: str, layout: GuessedLayout, draft: _Draft) -> str:
    lines = [
        f"# 由 {file} 的{draft.sampled()}推断，请逐项核对后再启用。",
        "apiVersion: v3.1.0",
        "kind: DataContract",
        f"id: {dataset}",
        f"name: {_flow(dataset)}  # 建议: 改为中文名称",
        "version: 0.1.0",
        "status: draft",
        "description: {purpose: 待填写}",
        "team: {name: 待填写}  # 建议: 填写负责部门",
        "schema:",
        f"  - name: {dataset}",
        *_key_comment(draft),
        "    properties:",
    ]
    for i in draft.profile.columns:
        lines += _field(i, draft)
    lines += ["customProperties:", f"  - {{property: provider, value: {provider}}}"]
    lines += [f"  # 建议: {comment}" for comment in (*layout.comments, *draft.zones(), *draft.rules())]
    values = {**layout.values, "extra_columns": "evolve"}
    lines.append(f"  - {_flow({'property': 'layout', 'value': values})}")
    mode = "merge" if draft.key.key else "append"
    lines.append(f"  - {{property: write, value: {{mode: {mode}}}}}")
    return "\n".join(lines) + "\n"


def _counts(array: pa.Array) -> Counter[str]:
    counted = array.drop_null().value_counts()
    return Counter(dict(zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True)))


def _guess(position: int, profile: Profile, counts: Counter[str], decimal: str) -> Guess:
    header, typed = profile.header[position] or "", profile.types.get(position)
    return guess(Column(header, position + 1, profile.rows, counts, typed, decimal))


def _key_comment(draft: _Draft) -> Iterator[str]:
    if draft.key.key:
        names = "+".join(draft.names[i].name for i in draft.key.key)
        yield wording("key_proposed", names=names, scope=f"在{draft.sampled()}中")
    else:
        yield wording("key_missing")
    yield from (f"    # 建议: {comment}" for comment in draft.key.comments)


def _names(
    profile: Profile, guesses: Mapping[int, Guess], counts: Mapping[int, Counter[str]], elements: Elements
) -> dict[int, FieldName]:
    """Field names: a shared element's, an ASCII header in snake case, `field_<n>` for any other."""
    names: dict[int, FieldName] = {}
    taken: set[str] = set()
    for i in profile.columns:
        header = profile.header[i] or ""
        base = snake_case(header)
        if not RESERVED.match(base):
            base = f"field_{i + 1}"
        named = field_name(base, header, guesses[i], counts[i], elements)
        if named.name in taken:
            named = FieldName(next(name for name in suffixed(base) if name not in {*taken, *elements.known}))
        taken.add(named.name)
        names[i] = named
    return names


def snake_case(header: str) -> str:
    """The header in snake case; empty where it is not ASCII throughout."""
    if not header.isascii():
        return ""
    spaced = re.sub(r"(?<=[a-z]{2})(?=[A-Z][a-z])", "_", header.strip())
    return re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")


def _field(i: int, draft: _Draft) -> Iterator[str]:
    header, proposed, named, rows = draft.profile.header[i], draft.guesses[i], draft.names[i], draft.profile.rows
    for comment in filter(None, (named.comment, *proposed.comments)):
        yield f"      # 建议: {' '.join(comment.split())}"
    if proposed.missing and rows:
        yield wording("empty_cells", rows=proposed.missing, share=proposed.missing / rows)
    yield f"      - name: {_flow(named.name)}"
    if not named.is_element:
        yield f"        businessName: {_flow(header or f'第 {i + 1} 列')}"
        yield f"        logicalType: {proposed.type}"
        yield from _classification(proposed)
    yield from _presence(i, draft)
    source = {**({"header": header} if header else {"position": i + 1}), **proposed.source}
    yield "        customProperties:"
    unit = _unit(header or "", proposed)
    if unit and not named.is_element:
        yield f"          - {_flow({'property': 'unit', 'value': unit})}"
    yield f"          - {_flow({'property': 'source', 'value': source})}"


def _unit(header: str, proposed: Guess) -> str:
    is_number = proposed.type in ("integer", "number")
    return proposed.unit or (header_unit(header) if is_number else "")


def _presence(i: int, draft: _Draft) -> Iterator[str]:
    """Whether the field is required, and its place in the key."""
    key = draft.key.key
    if i in key or (not draft.guesses[i].missing and draft.profile.rows > 0):
        yield "        required: true"
    if i in key:
        yield "        primaryKey: true"
        yield f"        primaryKeyPosition: {key.index(i) + 1}"


def _classification(proposed: Guess) -> Iterator[str]:
    if proposed.physical:
        yield f"        physicalType: {proposed.physical}"
    if proposed.grade:
        yield f"        classification: {proposed.grade}"
    if proposed.enum:
        yield f"        enum: {_flow([{'value': v, 'label': v} for v in proposed.enum])}"


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, allow_unicode=True, width=100_000, sort_keys=False).strip()
    return text.removesuffix("\n...")
