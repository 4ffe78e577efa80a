"""The landing zone → ledger: new content once, its bytes copied where nobody changes them."""

import json
import logging
import os
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from hashlib import file_digest
from itertools import chain, count
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from jobs.errors import UserError
from jobs.ingest.wordings import wording
from jobs.lake.lake import Lake
from jobs.lake.ledger import Arrival, content_sha256
from jobs.lake.store import Store, StoredObject
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, Finding, State

logger = logging.getLogger(__name__)
MANIFEST = "_manifest.json"
UNKNOWN = "dataset_unknown"
SIDECAR = ".manifest.json"
NAME_LENGTH = 120
"""Characters of a folder's name that the ledger keeps."""
MANIFEST_BYTES = 1 << 20
MOST_NAME_BYTES = 190
"""File systems keep names of 255 bytes, and object stores on them add marks of their own."""


class Manifest(BaseModel):
    """What a sender may say about a delivery, beside the file or in its folder.

    `sent_on`: the day on its covering letter, of what was handed over before it could be sent. `answers`: tickets.
    """

    model_config = ConfigDict(extra="ignore")

    sender: str = Field("", max_length=200, pattern=r"^[^\x00]*$")
    rows: int | None = Field(None, ge=0, lt=2**53)
    supersedes: str | None = None
    sent_on: date | None = None
    answers: list[str] = Field([], max_length=500)


@dataclass(frozen=True)
class Landed:
    """A delivery that `land` saw; `is_new` is false for bytes that came before."""

    delivery: Delivery
    is_new: bool


def land(lake: Lake, datasets: Mapping[str, str], now: datetime) -> tuple[Landed, ...]:
    """Record what is new in the landing zone. `datasets` gives the provider of each known dataset."""
    landed = []
    for arrival_objects in _waiting(lake.store):
        if all(lake.ledger.has_seen(o.key, o.etag) for o in arrival_objects):
            continue
        landed.append(_record(lake, arrival_objects, datasets, now))
    return tuple(landed)


def deliver(store: Store, files: Sequence[Path], dataset: str, provider: str, manifest: Manifest) -> tuple[str, ...]:
    """Put files into the landing zone as one delivery; the keys, in reading order."""
    for file in files:
        if not file.is_file():
            raise UserError(f"{file}: no such file")
        if (length := len(os.fsencode(file.name))) > MOST_NAME_BYTES:
            raise UserError(wording("name_too_long", name=file.name, length=length, most=MOST_NAME_BYTES))
    base = f"{Zone.LANDING}/{provider}/{dataset}"
    notes = manifest.model_dump_json(exclude_none=True).encode()
    folder = _free_place(store, files, base)
    if folder == base:
        store.put_bytes(f"{base}/{files[0].name}{SIDECAR}", notes, "application/json")
        store.put_file(files[0], f"{base}/{files[0].name}")
        return (f"{base}/{files[0].name}",)
    keys = tuple(f"{folder}/{file.name}" for file in files)
    for file, key in zip(files, keys, strict=True):
        store.put_file(file, key)
    store.put_bytes(f"{folder}/{MANIFEST}", notes, "application/json")
    return keys


def _free_place(store: Store, files: Sequence[Path], base: str) -> str:
    """Where the files are put: a single one in the dataset's folder, several in a folder of their own.

    Nobody would notice that an object was put again with the bytes that it had; what is handed over once more has
    a folder of its own.
    """
    several = f"-and-{len(files) - 1}-more" if len(files) > 1 else ""
    name = f"{base}/{files[0].stem}{several}"
    places = chain([name if several else base], (f"{name}-{number}" for number in count(2)))
    return next(place for place in places if not all(_stands(store, file, f"{place}/{file.name}") for file in files))


def _stands(store: Store, file: Path, key: str) -> bool:
    """Whether the object has the file's bytes."""
    there = store.head(key)
    if there is None or there.size != file.stat().st_size:
        return False
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest() == store.sha256(key)


def _waiting(store: Store) -> list[list[StoredObject]]:
    """Objects that form a delivery each, as they came: a file in its dataset's folder, or a sub-folder with a manifest."""
    singles: list[list[StoredObject]] = []
    folders: dict[str, list[StoredObject]] = defaultdict(list)
    for found in store.list(f"{Zone.LANDING}/"):
        parts = found.key.split("/")
        if len(parts) == 4 and parts[3] and not parts[3].endswith(SIDECAR):
            singles.append([found])
        elif len(parts) > 4:
            folders["/".join(parts[:4])].append(found)
    complete = [members for members in folders.values() if any(m.key.endswith("/" + MANIFEST) for m in members)]
    return sorted([*singles, *complete], key=lambda members: (max(o.modified for o in members), members[0].key))


def _record(lake: Lake, found: Sequence[StoredObject], datasets: Mapping[str, str], now: datetime) -> Landed:
    _, provider, dataset, *_ = (part[:NAME_LENGTH] for part in found[0].key.split("/"))
    manifest = _manifest(lake.store, found)
    files = sorted((o for o in found if not o.key.endswith("/" + MANIFEST)), key=lambda o: o.key)
    hashes = [(_name(o.key), lake.store.sha256(o.key)) for o in files]
    arrival = Arrival(
        dataset=dataset,
        provider=datasets.get(dataset, provider),
        sha256=content_sha256(hashes),
        size_bytes=sum(o.size for o in files),
        objects=(),
        seen=tuple((o.key, o.etag) for o in found),
        sender=manifest.sender,
        declared_rows=manifest.rows,
        supersedes=_replaced(lake, dataset, manifest),
        sent_on=manifest.sent_on,
        answers=tuple(manifest.answers),
    )
    kept = _keep(lake.store, files, provider, arrival)
    delivery, is_new = lake.ledger.record(_with_objects(arrival, kept), now)
    logger.info("%s: delivery %s %s", dataset, delivery.id, "landed" if is_new else "came again")
    if is_new and dataset not in datasets:
        delivery = _refuse_unknown(lake, delivery)
    return Landed(delivery, is_new)


def _name(key: str) -> str:
    """The object's name in its delivery: files of two folders of one delivery may be called the same."""
    parts = key.split("/")
    return "/".join(parts[4:]) if len(parts) > 4 else parts[-1]


def _keep(store: Store, files: Sequence[StoredObject], provider: str, arrival: Arrival) -> tuple[str, ...]:
    """Copies under the delivery's id: an overwritten landing object loses nothing."""
    kept = []
    for found in files:
        target = f"{Zone.RECEIVED}/{provider}/{arrival.dataset}/{arrival.content_id()}/{_name(found.key)}"
        there = store.head(target)
        if there is None or there.size != found.size:
            store.copy(found.key, target)
        kept.append(target)
    return tuple(kept)


def _with_objects(arrival: Arrival, objects: tuple[str, ...]) -> Arrival:
    return Arrival(**{**arrival.__dict__, "objects": objects})


def _manifest(store: Store, found: Sequence[StoredObject]) -> Manifest:
    key = next((o.key for o in found if o.key.endswith("/" + MANIFEST)), found[0].key + SIDECAR)
    there = store.head(key)
    if there is None:
        return Manifest()
    try:
        notes: Any = json.loads(store.get_bytes(key)) if there.size <= MANIFEST_BYTES else "too long"
        return Manifest.model_validate(notes)
    except (ValueError, ValidationError, RecursionError):
        logger.warning("%s: the manifest cannot be understood and is left out", key)
        return Manifest()


def _replaced(lake: Lake, dataset: str, manifest: Manifest) -> str | None:
    """The delivery that the sender says this one replaces; none where this dataset has no such delivery."""
    if manifest.supersedes is None or any(d.id == manifest.supersedes for d in lake.ledger.deliveries(dataset)):
        return manifest.supersedes
    logger.warning("%s: the delivery to be replaced is unknown; the new one is taken as an addition", dataset)
    return None


def _refuse_unknown(lake: Lake, delivery: Delivery) -> Delivery:
    reason = wording("contract_missing", dataset=delivery.dataset)
    finding = Finding(UNKNOWN, reason, {"dataset": delivery.dataset})
    return lake.ledger.move(delivery.id, State.UNREADABLE, findings=[finding], reason=reason)
