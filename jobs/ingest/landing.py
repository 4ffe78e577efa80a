"""The landing zone, read page by page: the deliveries with anything new."""

from collections.abc import Iterable, Sequence

from jobs.lake.lake import Lake
from jobs.lake.store import StoredObject
from jobs.lake.zones import Zone

MANIFEST = "_manifest.json"
SIDECAR = ".manifest.json"
DATASET, FOLDER = 3, 4
"""How many parts of a key name the folder of a dataset, and the folder of a delivery in it."""


class Landing:
    """Remembers what it has seen, so that a page without anything new costs one request and no query.

    A page ends with a dataset, so that the deliveries of a dataset are found together; only a dataset with more objects
    than fit on a page is read in parts.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._after = ""
        self._seen: dict[str, str] = {}

    @property
    def is_through(self) -> bool:
        """Whether the last page ended the zone; the next one begins it anew."""
        return not self._after

    def arrivals(self) -> list[list[StoredObject]]:
        """Complete deliveries of the next page with an object that the ledger does not know; to be remembered once recorded."""
        unseen = self._unseen()
        if not unseen:
            return []
        found = self._deliveries(self._unknown(unseen))
        waiting = {o.key for members in found for o in members}
        self.remember(o for o in unseen if o.key not in waiting)
        return found

    def _unseen(self) -> list[StoredObject]:
        """Objects of deliveries on the next page that are not remembered."""
        return [o for o in self._next_page() if self._seen.get(o.key) != o.etag and _is_of_delivery(o.key)]

    def _unknown(self, objects: Sequence[StoredObject]) -> list[StoredObject]:
        """Those that the ledger does not know; one query."""
        etags = self._lake.ledger.etags([o.key for o in objects])
        return [o for o in objects if etags.get(o.key) != o.etag]

    def _deliveries(self, new: Sequence[StoredObject]) -> list[list[StoredObject]]:
        return [[o] for o in new if _is_single(o.key)] + self._complete_folders(new)

    def remember(self, objects: Iterable[StoredObject]) -> None:
        """These are not looked at again until they change."""
        self._seen.update((o.key, o.etag) for o in objects)

    def _next_page(self) -> Sequence[StoredObject]:
        objects, is_last = self._lake.store.page(f"{Zone.LANDING}/", self._after)
        page = objects if is_last else _whole_datasets(objects)
        self._after = "" if is_last else page[-1].key
        return page

    def _complete_folders(self, new: Iterable[StoredObject]) -> list[list[StoredObject]]:
        """All objects of each folder with something new, where its manifest is there: that completes the delivery."""
        folders = dict.fromkeys(_prefix(o.key, FOLDER) for o in new if not _is_single(o.key))
        members = [list(self._lake.store.list(f"{folder}/")) for folder in folders]
        return [found for found in members if any(o.key.endswith("/" + MANIFEST) for o in found)]


def _is_of_delivery(key: str) -> bool:
    """Whether the object belongs to a delivery: not the manifest of a single file, and not outside the dataset folders."""
    parts = key.split("/")
    return len(parts) > FOLDER or (_is_single(key) and not parts[-1].endswith(SIDECAR) and bool(parts[-1]))


def _is_single(key: str) -> bool:
    return key.count("/") == DATASET


def _prefix(key: str, parts: int) -> str:
    return "/".join(key.split("/")[:parts])


def _whole_datasets(objects: Sequence[StoredObject]) -> Sequence[StoredObject]:
    """Without those of the last dataset, which may go on; all where there is no other."""
    last = _prefix(objects[-1].key, DATASET)
    return [o for o in objects if _prefix(o.key, DATASET) != last] or objects
