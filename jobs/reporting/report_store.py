"""Storage of reports: the object store, with a mirror below the lake's home for a browser."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery

INDEX = f"{Zone.REPORTS}/index.html"
HTML = "text/html; charset=utf-8"
JSON = "application/json"


def report_key(delivery: Delivery, ending: str) -> str:
    """Key of one file of a delivery's report."""
    return f"{Zone.REPORTS}/{delivery.provider}/{delivery.dataset}/{delivery.id}.{ending}"


def provider_key(provider: str) -> str:
    """Key of a department's page."""
    return f"{Zone.REPORTS}/{provider}/index.html"


def put(lake: Lake, key: str, data: bytes, content_type: str) -> None:
    """Write one small file to both places."""
    _mirror(lake, key, lambda file: file.write_bytes(data))
    lake.store.put_bytes(key, data, content_type)


def put_once(lake: Lake, key: str, data: bytes, content_type: str) -> bool:
    """Write one small file to both places unless the key exists; whether it was written."""
    is_first = lake.store.put_new(key, data, content_type)
    if is_first:
        _mirror(lake, key, lambda file: file.write_bytes(data))
    return is_first


def put_generated(lake: Lake, key: str, make: Callable[[Path], object]) -> None:
    """Write one file that `make` writes to a path, to both places."""
    lake.store.put_file(_mirror(lake, key, make), key)


def _mirror(lake: Lake, key: str, make: Callable[[Path], object]) -> Path:
    file = lake.settings.home / key
    file.parent.mkdir(parents=True, exist_ok=True)
    unfinished = file.with_name(f".{uuid4().hex}.part")
    try:
        make(unfinished)
        unfinished.replace(file)
    finally:
        unfinished.unlink(missing_ok=True)
    return file
