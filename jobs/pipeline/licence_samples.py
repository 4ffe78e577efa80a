"""Sample files of types of licences (样例): kept in the object store, for the list of electronic licences."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

from jobs.contracts import Registry
from jobs.errors import Unknown, UserError
from jobs.lake.lake import Lake

FOLDER = "reports/licence-samples/"
HEADS: Mapping[str, bytes] = {".pdf": b"%PDF", ".png": b"\x89PNG", ".jpg": b"\xff\xd8\xff"}
MEDIA: Mapping[str, str] = {".pdf": "application/pdf", ".png": "image/png", ".jpg": "image/jpeg"}
MOST_BYTES = 5 << 20


def put_sample(lake: Lake, registry: Registry, dataset: str, type_name: str, file: Path) -> str:
    """The key of the stored sample, in place of an earlier one; UserError where the file or the dataset is not fit."""
    if registry.contract(dataset).licences is None:
        raise UserError(
            f"{dataset} has no licences in its contract / 数据集「{dataset}」的契约没有声明证照（licences）"
        )
    ending, content = file.suffix.lower(), file.read_bytes()
    if ending not in HEADS or not content.startswith(HEADS[ending]):
        raise UserError(f"{file.name}: not a {' or '.join(HEADS)} file / 样例须是 {'、'.join(HEADS)} 文件")
    if len(content) > MOST_BYTES:
        raise UserError(f"{file.name}: more than {MOST_BYTES >> 20} MiB / 样例文件过大，最大 {MOST_BYTES >> 20} MiB")
    for earlier in [key for key, of in _by_key(lake).items() if of == _digest(dataset, type_name)]:
        lake.store.delete(earlier)
    key = f"{FOLDER}{_digest(dataset, type_name)}{ending}"
    lake.store.put_bytes(key, content, MEDIA[ending])
    return key


def samples(lake: Lake) -> Mapping[str, str]:
    """Digest of dataset and type → name of the sample file."""
    return {digest: key.removeprefix(FOLDER) for key, digest in _by_key(lake).items()}


def sample_name(found: Mapping[str, str], dataset: str, type_name: str) -> str:
    """The name of a type's sample file among those found; empty where there is none."""
    return found.get(_digest(dataset, type_name), "")


def sample_file(lake: Lake, name: str) -> tuple[bytes, str]:
    """Bytes and media type of a sample; Unknown where there is none of that name."""
    if name not in samples(lake).values():
        raise Unknown("没有这个样例")
    return lake.store.get_bytes(FOLDER + name), MEDIA[Path(name).suffix]


def _by_key(lake: Lake) -> dict[str, str]:
    return {one.key: Path(one.key).stem for one in lake.store.list(FOLDER) if Path(one.key).suffix in MEDIA}


def _digest(dataset: str, type_name: str) -> str:
    return hashlib.sha256(f"{dataset}/{type_name}".encode()).hexdigest()[:16]
