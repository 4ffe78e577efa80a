"""The landing zone → ledger: each content once, its files copied to where nobody changes them."""

import json
import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from hashlib import file_digest
from itertools import chain, count
from pathlib import Path
from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from jobs.errors import UserError
from jobs.ingest.kinds import files_below
from jobs.ingest.landing import MANIFEST, SIDECAR, Landing
from jobs.ingest.wordings import wording
from jobs.lake.lake import Lake
from jobs.lake.ledger import Arrival, content_sha256
from jobs.lake.store import Store, StoredObject
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, Finding, State

logger = logging.getLogger(__name__)
UNKNOWN = "dataset_unknown"
NAME_LENGTH = 120
"""Maximum length of a folder's name in the ledger."""
MANIFEST_BYTES = 1 << 20
MOST_NAME_BYTES = 190
"""File systems allow names of 255 bytes, and object stores on them add suffixes of their own."""


class Manifest(BaseModel):
    """What a sender may declare about a delivery, next to the file or in its folder.

    `sent_on`: the day on its covering letter, where that is before the upload. `answers`: ids of tickets.
    `uploaded_at`: orders deliveries of one second; object stores state no more than the second.
    """

    model_config = ConfigDict(extra="ignore")

    sender: str = Field("", max_length=200, pattern=r"^[^\x00]*$")
    rows: int | None = Field(None, ge=0, lt=2**53)
    supersedes: str | None = None
    sent_on: date | None = None
    answers: list[str] = Field([], max_length=500)
    uploaded_at: AwareDatetime | None = None

    def to_upload(self) -> bytes:
        """As JSON, with this moment as the time of the upload."""
        stamped = self.model_copy(update={"uploaded_at": datetime.now(UTC)})
        return stamped.model_dump_json(exclude_none=True).encode()


@dataclass(frozen=True)
class Landed:
    """A delivery that `land` recorded; `is_new` is false for repeated content.

    `waits_again`: repeated content that was returned or refused, and whose contract has changed since.
    """

    delivery: Delivery
    is_new: bool
    waits_again: bool = False


def land(lake: Lake, datasets: Mapping[str, str], now: datetime) -> tuple[Landed, ...]:
    """Record new objects of the landing zone. `datasets`: provider by known dataset."""
    landing = Landing(lake)
    landed = [*land_page(lake, landing, lambda: datasets, now)]
    while not landing.is_through:
        landed += land_page(lake, landing, lambda: datasets, now)
    return tuple(landed)


def land_page(
    lake: Lake, landing: Landing, datasets: Callable[[], Mapping[str, str]], now: datetime
) -> Iterator[Landed]:
    """Record what is new on the next page of the landing zone; `datasets` is called where anything is."""
    arrived = [(objects, _manifest(lake.store, objects)) for objects in landing.arrivals()]
    for objects, manifest in sorted(arrived, key=_moment):
        yield _record(lake, objects, manifest, datasets(), now)
        landing.remember(objects)


def _moment(arrived: tuple[Sequence[StoredObject], Manifest]) -> tuple[datetime, datetime, str]:
    """What deliveries are ordered by: the second that the store states, then what the sender declares."""
    objects, manifest = arrived
    second = max(o.modified for o in objects)
    return second, manifest.uploaded_at or second, objects[0].key


def deliver(store: Store, files: Sequence[Path], dataset: str, provider: str, manifest: Manifest) -> tuple[str, ...]:
    """Put files, or a folder with its files, into the landing zone as one delivery; the keys, in reading order."""
    if len(files) == 1 and files[0].is_dir():
        return _deliver_folder(store, files[0], f"{Zone.LANDING}/{provider}/{dataset}", manifest)
    for file in files:
        if not file.is_file():
            raise UserError(f"{file}: no such file")
        if (length := len(os.fsencode(file.name))) > MOST_NAME_BYTES:
            raise UserError(wording("name_too_long", name=file.name, length=length, most=MOST_NAME_BYTES))
    base = f"{Zone.LANDING}/{provider}/{dataset}"
    folder = _free_folder(store, files, base)
    if folder == base:
        store.put_bytes(f"{base}/{files[0].name}{SIDECAR}", manifest.to_upload(), "application/json")
        store.put_file(files[0], f"{base}/{files[0].name}")
        return (f"{base}/{files[0].name}",)
    keys = tuple(f"{folder}/{file.name}" for file in files)
    for file, key in zip(files, keys, strict=True):
        store.put_file(file, key)
    store.put_bytes(f"{folder}/{MANIFEST}", manifest.to_upload(), "application/json")
    return keys


def _deliver_folder(store: Store, folder: Path, base: str, manifest: Manifest) -> tuple[str, ...]:
    """The files of a folder and its folders, each at its place."""
    files = files_below(folder)
    if not files:
        raise UserError(f"{folder}: no file in this folder")
    targets = (f"{base}/{folder.resolve().name}{suffix}" for suffix in chain([""], (f"-{n}" for n in count(2))))
    target = next(
        target for target in targets if not all(_is_stored(store, path, f"{target}/{name}") for name, path in files)
    )
    for name, path in files:
        store.put_file(path, f"{target}/{name}")
    store.put_bytes(f"{target}/{MANIFEST}", manifest.to_upload(), "application/json")
    return tuple(f"{target}/{name}" for name, _ in files)


def _free_folder(store: Store, files: Sequence[Path], base: str) -> str:
    """Folder for the files: a single one in the dataset's folder, several in a folder of their own.

    An object overwritten with the same bytes would go unnoticed, so a repeated delivery gets a folder of its own.
    """
    suffix = f"-and-{len(files) - 1}-more" if len(files) > 1 else ""
    name = f"{base}/{files[0].stem}{suffix}"
    folders = chain([name if suffix else base], (f"{name}-{number}" for number in count(2)))
    return next(
        folder for folder in folders if not all(_is_stored(store, file, f"{folder}/{file.name}") for file in files)
    )


def _is_stored(store: Store, file: Path, key: str) -> bool:
    """Whether the object exists with the file's bytes."""
    stored = store.head(key)
    if stored is None or stored.size != file.stat().st_size:
        return False
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest() == store.sha256(key)


def _record(
    lake: Lake, arrival_objects: Sequence[StoredObject], manifest: Manifest, datasets: Mapping[str, str], now: datetime
) -> Landed:
    _, provider, dataset, *_ = (part[:NAME_LENGTH] for part in arrival_objects[0].key.split("/"))
    files = sorted((o for o in arrival_objects if not o.key.endswith("/" + MANIFEST)), key=lambda o: o.key)
    hashes = [(_name(o.key), lake.store.sha256(o.key)) for o in files]
    arrival = Arrival(
        dataset=dataset,
        provider=datasets.get(dataset, provider),
        sha256=content_sha256(hashes),
        size_bytes=sum(o.size for o in files),
        objects=(),
        seen=tuple((o.key, o.etag) for o in arrival_objects),
        sender=manifest.sender,
        declared_rows=manifest.rows,
        supersedes=_replaced(lake, dataset, manifest),
        sent_on=manifest.sent_on,
        answers=tuple(manifest.answers),
    )
    received_keys = _copy_to_received(lake.store, files, provider, arrival)
    delivery, is_new = lake.ledger.record(_with_objects(arrival, received_keys), now)
    logger.info("%s: delivery %s %s", dataset, delivery.id, "landed" if is_new else "repeated")
    if is_new and dataset not in datasets:
        delivery = _refuse_unknown(lake, delivery)
    return Landed(delivery, is_new)


def _name(key: str) -> str:
    """The object's path in its delivery: files in two folders of one delivery may have the same name."""
    parts = key.split("/")
    return "/".join(parts[4:]) if len(parts) > 4 else parts[-1]


def _copy_to_received(store: Store, files: Sequence[StoredObject], provider: str, arrival: Arrival) -> tuple[str, ...]:
    """Keys of the copies under the delivery's id: overwriting a landing object loses nothing."""
    received_keys = []
    for landed in files:
        target = f"{Zone.RECEIVED}/{provider}/{arrival.dataset}/{arrival.content_id()}/{_name(landed.key)}"
        copy = store.head(target)
        if copy is None or copy.size != landed.size:
            store.copy(landed.key, target)
        received_keys.append(target)
    return tuple(received_keys)


def _with_objects(arrival: Arrival, objects: tuple[str, ...]) -> Arrival:
    return Arrival(**{**arrival.__dict__, "objects": objects})


def _manifest(store: Store, arrival_objects: Sequence[StoredObject]) -> Manifest:
    key = next((o.key for o in arrival_objects if o.key.endswith("/" + MANIFEST)), arrival_objects[0].key + SIDECAR)
    stored = store.head(key)
    if stored is None:
        return Manifest()
    try:
        notes: Any = json.loads(store.get_bytes(key)) if stored.size <= MANIFEST_BYTES else "too long"
        return Manifest.model_validate(notes)
    except (ValueError, ValidationError, RecursionError):
        logger.warning("%s: invalid manifest ignored", key)
        return Manifest()


def _replaced(lake: Lake, dataset: str, manifest: Manifest) -> str | None:
    """Id of the delivery that the manifest says is replaced; None where the dataset has no such delivery."""
    if manifest.supersedes is None or any(d.id == manifest.supersedes for d in lake.ledger.deliveries(dataset)):
        return manifest.supersedes
    logger.warning("%s: the delivery to be replaced is unknown; the new one replaces nothing", dataset)
    return None


def _refuse_unknown(lake: Lake, delivery: Delivery) -> Delivery:
    reason = wording("contract_missing", dataset=delivery.dataset)
    finding = Finding(UNKNOWN, reason, {"dataset": delivery.dataset})
    return lake.ledger.move(delivery.id, State.UNREADABLE, findings=[finding], reason=reason)
