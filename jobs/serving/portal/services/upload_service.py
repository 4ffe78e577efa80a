"""Files that a department delivers through the portal, and their progress."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import select
from ulid import ULID

from jobs.access import rights
from jobs.access.personal_numbers import masked_text
from jobs.access.policy import Right
from jobs.access.roles import reads_as_sent
from jobs.collaboration import TicketQuery
from jobs.contracts import Contract
from jobs.errors import LakeError, Unknown
from jobs.ingest.first_look import MOST_BYTES, first_look, later
from jobs.ingest.land import Manifest
from jobs.ingest.landing import MANIFEST
from jobs.ingest.reading import LocalFile
from jobs.lake.database import utc
from jobs.lake.ledger import NAME_LENGTH
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.model.delivery import JUDGED, Delivery, State
from jobs.model.ticket import Ticket
from jobs.serving.account_tables import UploadRow
from jobs.serving.portal.authentication import InvalidForm
from jobs.serving.portal.context import Portal
from jobs.serving.portal.multipart import safe_name
from jobs.serving.portal.services.data_service import DataService
from jobs.serving.portal.services.incoming import Incoming, UploadDetails

logger = logging.getLogger(__name__)
LISTED = 30
OFFERED, MOST_TICKETS = 10, 200
STEPS = ("上传", "登记", "读取", "质检", "出报告")


@dataclass(frozen=True)
class Offers:
    """Choices of the form: deliveries by title of their dataset, newest first, and tickets."""

    deliveries: Mapping[str, tuple[Delivery, ...]]
    tickets: tuple[Ticket, ...]


@dataclass(frozen=True)
class ReceivedFile:
    """A file that lies in the landing zone, and the tickets that it answers."""

    id: str
    key: str
    size: int
    sha256: str
    answers: tuple[str, ...]


@dataclass(frozen=True)
class Uploaded:
    """A completely received file."""

    id: str
    at: datetime
    name: str
    department: str
    dataset: str
    delivery: str
    file: str
    size_bytes: int
    first_look: tuple[str, ...] = ()


@dataclass(frozen=True)
class Progress:
    """How far an upload has come: the number of completed STEPS, the verdict in words, and the report."""

    done: int
    state: State | None
    message: str
    report: str

    def is_over(self) -> bool:
        """Whether nothing more will change."""
        return self.done == len(STEPS)


@dataclass(frozen=True)
class UploadService:
    """Takes files of the actor's department."""

    portal: Portal
    actor: Actor

    def datasets(self) -> tuple[Contract, ...]:
        """What the actor may deliver."""
        rights.check_right(self.actor, Right.DELIVER, "报送数据")
        return tuple(c for c in self.portal.registry().sources() if c.provider == self.actor.department)

    def offers(self) -> "Offers":
        """What a delivery may supersede or answer: the newest deliveries, and the open tickets of the own department."""
        contracts = self.datasets()
        deliveries = {c.title: self._deliveries(c.id)[-OFFERED:][::-1] for c in contracts}
        query = TicketQuery(is_open=True, provider=self.actor.department, kind="issue", order="due", size=MOST_TICKETS)
        found = self.portal.tickets.tickets(self.actor, query, self.portal.now()).tickets
        own = {contract.id for contract in contracts}
        return Offers(
            {title: some for title, some in deliveries.items() if some}, tuple(t for t in found if t.dataset in own)
        )

    def letter(self, fields: Mapping[str, str]) -> UploadDetails:
        """Fields of the form; InvalidForm in Chinese, NotAllowed for another department's dataset."""
        rights.check_right(self.actor, Right.DELIVER, "报送数据")
        contract = self.portal.registry().contracts.get(fields.get("dataset", ""))
        if contract is None or contract.kind != "source":
            raise InvalidForm("请选择数据集")
        rights.check_own(self.actor, contract.provider, "报送")
        supersedes = fields.get("supersedes", "").strip()
        if supersedes and all(d.id != supersedes for d in self.portal.lake.ledger.deliveries(contract.id)):
            raise InvalidForm(f"{contract.title}没有批次 {supersedes}，不能取代")
        manifest = Manifest(
            sender=self.actor.name,
            rows=_rows(fields.get("rows", "").strip()),
            supersedes=supersedes or None,
            sent_on=_day(fields.get("sent_on", "").strip()),
            answers=self._answers(fields.get("answers", ""), contract),
        )
        return UploadDetails(contract, manifest)

    def begin(self, fields: Mapping[str, str], name: str) -> Incoming:
        """A new upload; it is invisible in the landing zone until finished."""
        letter, safe, own = self.letter(fields), safe_name(name), str(ULID())
        key = f"{Zone.LANDING}/{letter.contract.provider}/{letter.contract.id}/{own}/{safe}"
        limit = self.portal.settings.portal_upload_mib << 20
        return Incoming(own, letter, key, self.portal.lake.store.begin(key), limit)

    def finish(self, file: Incoming) -> Uploaded:
        """The completed file; it becomes visible, then its manifest, which makes it a delivery."""
        if not file.is_checked:
            file.check()
        if file.waiting:
            file.send()
        file.upload.complete()
        details = file.letter
        contract, manifest = details.contract, details.manifest
        received = ReceivedFile(file.id, file.key, file.size, file.digest.hexdigest(), tuple(manifest.answers))
        uploaded = self.record(contract, received)
        folder = file.key.rpartition("/")[0]
        self.portal.lake.store.put_bytes(f"{folder}/{MANIFEST}", manifest.to_upload(), "application/json")
        return uploaded

    def record(self, contract: Contract, file: ReceivedFile, local: Path | None = None) -> Uploaded:
        """The received file, recorded with a first look at it; `local` is a copy on disk, where there is one."""
        row = UploadRow(
            id=file.id,
            at=utc(self.portal.now()),
            name=self.actor.name,
            department=self.actor.department,
            dataset=contract.id,
            delivery=f"{contract.id[:NAME_LENGTH]}-{file.sha256[:12]}",
            key=file.key,
            size_bytes=file.size,
            sha256=file.sha256,
            answers=" ".join(file.answers),
            first_look="\n".join(self._first_look(contract, file, local)),
        )
        with self.portal.tickets.database.session() as session:
            session.add(row)
            return _uploaded(row)

    def _first_look(self, contract: Contract, file: ReceivedFile, local: Path | None) -> Sequence[str]:
        """What is said of the file at once; it is received whatever happens here."""
        if file.size > MOST_BYTES:
            return later()
        name = file.key.rsplit("/", 1)[-1]
        try:
            with TemporaryDirectory(prefix="lake-look-") as folder:
                path = local or Path(folder) / name
                if local is None:
                    self.portal.lake.store.get_file(file.key, path)
                return first_look(contract, LocalFile(name, path))
        except Exception:
            logger.exception("%s: no first look at %s", contract.id, file.key)
            return later()

    def uploads(self) -> tuple[Uploaded, ...]:
        """Uploads of the actor's department, newest first."""
        rights.check_right(self.actor, Right.DELIVER, "报送数据")
        mine = select(UploadRow).where(UploadRow.department == self.actor.department)
        with self.portal.tickets.database.session() as session:
            rows = session.scalars(mine.order_by(UploadRow.id.desc()).limit(LISTED)).all()
            return tuple(self._recorded(row) for row in rows)

    def upload(self, upload_id: str) -> Uploaded:
        """One upload; Unknown where it is another department's."""
        with self.portal.tickets.database.session() as session:
            row = session.get(UploadRow, upload_id)
            uploaded = self._recorded(row) if row else None
        if uploaded is None or not rights.may_know(self.actor, uploaded.department):
            raise Unknown(f"没有上传 {upload_id}，或不属于您的部门")
        is_own = reads_as_sent(self.actor, uploaded.department)
        if is_own:
            return uploaded
        look = tuple(masked_text(line, is_free=False) for line in uploaded.first_look)
        return replace(uploaded, file=masked_text(uploaded.file, is_free=False), first_look=look)

    def progress(self, uploaded: Uploaded) -> Progress:
        """How far the upload has come."""
        if uploaded.delivery not in {d.id for d in self._deliveries(uploaded.dataset)}:
            return Progress(1, None, "文件已收下，等待登记", "")
        view = DataService(self.portal, self.actor).delivery(uploaded.delivery)
        state, reason = view.state(), view.reason
        if state not in JUDGED:
            return Progress(3 if state is State.LOADED else 2, state, reason or "正在处理", "")
        report = next((r for r in view.reports if r.endswith(".html")), "")
        return Progress(len(STEPS) if report else 4, state, reason, report)

    def _recorded(self, row: UploadRow) -> Uploaded:
        """The upload with the delivery that it became: the same bytes after something newer are another one."""
        return replace(_uploaded(row), delivery=self.portal.lake.ledger.delivery_of(row.key) or row.delivery)

    def _deliveries(self, dataset: str) -> tuple[Delivery, ...]:
        return self.portal.lake.ledger.deliveries(dataset)

    def _answers(self, text: str, contract: Contract) -> list[str]:
        """Tickets of this dataset that the delivery answers."""
        ticket_ids = list(dict.fromkeys(re.split(r"[\s,，]+", text.strip())))[:50] if text.strip() else []
        for ticket_id in ticket_ids:
            try:
                ticket = self.portal.tickets.ticket(ticket_id, self.actor, self.portal.now())
            except LakeError as error:
                raise InvalidForm(str(error)) from error
            if ticket.dataset != contract.id:
                raise InvalidForm(f"工单 {ticket_id} 不是{contract.title}的工单")
        return ticket_ids


def _uploaded(row: UploadRow) -> Uploaded:
    file = row.key.rsplit("/", 1)[-1]
    look = tuple(row.first_look.splitlines())
    return Uploaded(
        row.id, utc(row.at), row.name, row.department, row.dataset, row.delivery, file, row.size_bytes, look
    )


def _rows(text: str) -> int | None:
    if not text:
        return None
    if not text.isdecimal() or len(text) > 12:
        raise InvalidForm("行数须是整数")
    return int(text)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidForm("送文日期请按 2026-01-12 的格式填写") from error
