"""Storage of bulletins. A published document is written once; its pages can be rendered from it at any time.

`reports/bulletins/2026-01.json` is the first, `2026-01-r2.json` its revision; newer drafts replace older ones.
"""

import json
from dataclasses import dataclass
from functools import partial
from typing import Any

from jobs.errors import UserError
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.reporting import report_store
from jobs.reporting.bulletin.blocks import blocks
from jobs.reporting.bulletin.facts import Edition
from jobs.reporting.bulletin.styles import fonts

FOLDER = f"{Zone.REPORTS}/bulletins"


@dataclass(frozen=True)
class Published:
    """A published bulletin in the store."""

    key: str
    revision: int


@dataclass(frozen=True)
class BulletinFiles:
    """Keys of a bulletin's files; `is_new` is False where it was published before."""

    json: str
    pdf: str
    docx: str
    is_new: bool


class Bulletins:
    """Stores bulletins, and renders their pages."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def last(self, name: str) -> Published | None:
        """The newest revision of a period's bulletin that was published; None before the first."""
        newest = None
        for revision in range(1, 1000):
            key = bulletin_key(name, revision)
            if self._lake.store.head(key) is None:
                return newest
            newest = Published(key, revision)
        return newest

    def document(self, key: str) -> dict[str, Any]:
        """The document at a key."""
        document: dict[str, Any] = json.loads(self._lake.store.get_bytes(key))
        return document

    def keep(self, edition: Edition, document: dict[str, Any]) -> BulletinFiles:
        """Write the document, then its pages. UserError where another process has published the revision first."""
        data = json.dumps(document, ensure_ascii=False, indent=1).encode()
        key = bulletin_key(edition.period.name, edition.revision, edition.is_draft)
        if edition.is_draft:
            report_store.put(self._lake, key, data, report_store.JSON)
        elif not report_store.put_once(self._lake, key, data, report_store.JSON):
            raise UserError(f"{key} 已由他人发布，已发布的通报不得改动；如需更正，请用 --revise 写明理由另出一版")
        return self._written(key, json.loads(data), is_new=True)

    def pages(self, published: Published) -> BulletinFiles:
        """The pages of a published bulletin, rendered from its document."""
        return self._written(published.key, self.document(published.key), is_new=False)

    def _written(self, key: str, document: dict[str, Any], is_new: bool) -> BulletinFiles:
        from jobs.reporting.bulletin.pdf import write_pdf  # takes a second to import, needed for bulletins only
        from jobs.reporting.bulletin.word import write_word

        base = key.removesuffix("json")
        files = BulletinFiles(key, f"{base}pdf", f"{base}docx", is_new)
        parts = blocks(document)
        report_store.put_generated(self._lake, files.pdf, partial(write_pdf, parts, fonts=fonts(self._lake.settings)))
        report_store.put_generated(self._lake, files.docx, partial(write_word, parts))
        return files


def bulletin_key(name: str, revision: int, is_draft: bool = False) -> str:
    """Key of a bulletin's document."""
    ending = f"-r{revision}" if revision > 1 else ""
    return f"{FOLDER}/{'drafts/' if is_draft else ''}{name}{ending}.json"
