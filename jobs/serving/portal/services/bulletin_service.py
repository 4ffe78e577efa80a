"""Bulletins for an actor: what was published is for everybody, drafts are for the bureau."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from jobs.access import rights
from jobs.access.policy import Right
from jobs.errors import ServiceUnavailable, Unknown, UserError
from jobs.lake.session import is_unavailable
from jobs.model.actor import Actor
from jobs.reporting.bulletin import Period, period
from jobs.reporting.bulletin.store import FOLDER
from jobs.serving.portal.context import Portal

FILE = re.compile(
    r"(?P<draft>drafts/)?(?P<name>20[0-9Q-]{2,6}?)(?:-r(?P<revision>[1-9]\d{0,2}))?\.(?P<ending>pdf|docx|json)"
)
FORMS: Mapping[str, str] = {"pdf": "PDF", "docx": "Word", "json": "数据（JSON）"}
LENGTHS: Mapping[int, str] = {1: "月度通报", 3: "季度通报", 12: "年度通报"}
AWAY = "对象存储暂时无响应，通报稍后再看"


@dataclass(frozen=True)
class Bulletin:
    """One bulletin with its files by ending; `is_replaced` where a later revision exists."""

    period: Period
    revision: int
    is_draft: bool
    is_replaced: bool
    files: Mapping[str, str]


@dataclass(frozen=True)
class BulletinList:
    """Bulletins by length, the newest first; `note` says what could not be read."""

    published: Mapping[int, tuple[Bulletin, ...]]
    drafts: tuple[Bulletin, ...]
    note: str


@dataclass(frozen=True)
class BulletinService:
    """What the actor may read of bulletins."""

    portal: Portal
    actor: Actor

    def shelf(self) -> BulletinList:
        """All that the actor may read."""
        try:
            bulletins, note = self._bulletins(), ""
        except Exception as error:
            if not isinstance(error, ServiceUnavailable) and not is_unavailable(error):
                raise
            bulletins, note = [], AWAY
        published = {
            months: tuple(b for b in bulletins if not b.is_draft and b.period.months == months) for months in LENGTHS
        }
        return BulletinList(published, tuple(b for b in bulletins if b.is_draft), note)

    def file(self, path: str) -> bytes:
        """One file; Unknown where there is none, or none for the actor."""
        match = FILE.fullmatch(path)
        if match is None or (match["draft"] and not self._sees_drafts()) or not self._period(match["name"]):
            raise Unknown("没有这份通报")
        key = f"{FOLDER}/{path}"
        if self.portal.lake.store.head(key) is None:
            raise Unknown("没有这份通报")
        return self.portal.lake.store.get_bytes(key)

    def _sees_drafts(self) -> bool:
        return rights.may(self.actor, Right.OVERSEE)

    def _bulletins(self) -> list[Bulletin]:
        """Newest period first, and of a period the newest revision."""
        files: dict[tuple[str, str, int], dict[str, str]] = {}
        for stored in self.portal.lake.store.list(f"{FOLDER}/"):
            path = stored.key.removeprefix(f"{FOLDER}/")
            match = FILE.fullmatch(path)
            if match and (not match["draft"] or self._sees_drafts()):
                revision = (match["draft"] or "", match["name"], int(match["revision"] or 1))
                files.setdefault(revision, {})[match["ending"]] = path
        bulletins = [self._bulletin(revision, paths, files) for revision, paths in files.items()]
        return sorted(filter(None, bulletins), key=lambda b: (b.period.since, b.revision), reverse=True)

    def _bulletin(
        self, which: tuple[str, str, int], some: Mapping[str, str], every: Mapping[tuple[str, str, int], object]
    ) -> Bulletin | None:
        draft, name, revision = which
        about = self._period(name)
        if about is None:
            return None
        ordered = {ending: some[ending] for ending in FORMS if ending in some}
        return Bulletin(about, revision, bool(draft), (draft, name, revision + 1) in every, ordered)

    def _period(self, name: str) -> Period | None:
        try:
            return period(name, self.portal.zone.key)
        except UserError:  # not a bulletin's name
            return None
