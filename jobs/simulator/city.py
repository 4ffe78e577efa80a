"""One day of the city: every feed's file, a manifest, and the ledger of planted faults."""

import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from jobs.simulator.faults import Fault, write_ledger
from jobs.simulator.feed import Feed
from jobs.simulator.feeds import FEEDS
from jobs.simulator.planting import Mark, corrected, planted
from jobs.simulator.setting import Setting


@dataclass(frozen=True)
class SentFile:
    """One file that a provider delivers. `sidecar` holds its covering note; `supersedes_of` names a `key`."""

    key: str
    dataset: str
    provider: str
    path: Path
    sender: str
    declared_rows: int
    supersedes_of: str | None
    sidecar: Mapping[str, str]


def send(
    day: date, seed: int, out: Path, scale: float = 1.0, only: Collection[str] | None = None
) -> tuple[SentFile, ...]:
    """The day's files, referenced datasets first; also writes manifest.json and faults.jsonl in `out/<day>/`.

    `scale` multiplies rows and faults; `only` limits it to some datasets. Same arguments, same bytes.
    """
    setting = Setting(seed, day, scale)
    folder = out / day.isoformat()
    folder.mkdir(parents=True, exist_ok=True)
    sent: list[SentFile] = []
    faults: list[Fault] = []
    for feed in FEEDS:
        if only is not None and feed.dataset not in only:
            continue
        for file, file_faults in _deliveries(feed, setting, folder):
            sent.append(file)
            faults.extend(file_faults)
    write_ledger(faults, folder / "faults.jsonl")
    _write_manifest(sent, folder)
    return tuple(sent)


def _deliveries(feed: Feed, setting: Setting, folder: Path) -> Iterator[tuple[SentFile, list[Fault]]]:
    if feed.corrects_on is not None and setting.number() % 7 == feed.corrects_on:
        yield _deliver(feed, setting.before(), folder, correction_day=setting.day)
    if feed.comes(setting):
        yield _deliver(feed, setting, folder)


def _deliver(
    feed: Feed, setting: Setting, folder: Path, correction_day: date | None = None
) -> tuple[SentFile, list[Fault]]:
    rows = feed.rows(setting)
    marks = planted(rows, feed.plans(), setting, feed.dataset)
    if correction_day is not None:
        marks = corrected(rows, marks)
    name = feed.file_name(setting.day)
    if correction_day is not None:
        stem, _, ending = name.rpartition(".")
        name = f"{stem}_更正.{ending}"
    path = folder / feed.file().provider / name
    path.parent.mkdir(exist_ok=True)
    first_row = feed.form(setting, feed.file()).write(path, rows)
    file = _sent(feed, setting, path, len(rows), correction_day)
    numbers = {id(row): first_row + index for index, row in enumerate(rows)} if marks else {}
    return file, _ledger(feed, setting, file, marks, numbers)


def _sent(feed: Feed, setting: Setting, path: Path, rows: int, correction_day: date | None) -> SentFile:
    original = f"{feed.dataset}/{setting.day.isoformat()}"
    key = original if correction_day is None else f"{feed.dataset}/{correction_day.isoformat()}/correction"
    return SentFile(
        key=key,
        dataset=feed.dataset,
        provider=feed.file().provider,
        path=path,
        sender=feed.file().sender,
        declared_rows=rows + (feed.declared_surplus(setting) if correction_day is None else 0),
        supersedes_of=None if correction_day is None else original,
        sidecar={
            "period": setting.day.isoformat(),
            "sent_on": (correction_day or setting.day).isoformat(),
            "note": "" if correction_day is None else f"更正 {setting.day.isoformat()} 报送的文件",
        },
    )


def _ledger(feed: Feed, setting: Setting, file: SentFile, marks: list[Mark], numbers: Mapping[int, int]) -> list[Fault]:
    """The faults of a file; `numbers` gives each row's number in it."""
    faults = [
        Fault(
            dataset=feed.dataset,
            file=file.path.name,
            delivery=file.key,
            row=numbers[id(mark.row)],
            key="|".join(mark.row.text(field) for field in feed.file().key),
            field=mark.plan.field,
            kind=mark.plan.kind,
            rules=mark.plan.rules,
            repair=mark.plan.repair,
            severity=mark.plan.severity if mark.plan.rules else "info",
        )
        for mark in marks
    ]
    faults.extend(
        Fault(feed.dataset, file.path.name, file.key, 0, "", w.field, w.kind, (), w.repair, "info")
        for w in feed.whole(setting)
        if file.supersedes_of is None
    )
    return sorted(faults, key=lambda fault: (fault.row, fault.field, fault.kind))


def _write_manifest(sent: list[SentFile], folder: Path) -> None:
    entries = [{**asdict(file), "path": file.path.relative_to(folder).as_posix()} for file in sent]
    text = json.dumps(entries, ensure_ascii=False, indent=1, default=str)
    (folder / "manifest.json").write_text(text + "\n", "utf-8")
