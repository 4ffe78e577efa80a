"""Notification channels: mail, group robots of WeCom and DingTalk, and notices in the portal."""

import base64
import hashlib
import hmac
import smtplib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from pydantic import Field
from sqlalchemy import select, update

from jobs.collaboration.reminders import Channel, Message
from jobs.collaboration.ticket_tables import NoticeRow
from jobs.contracts.policy_file import PolicyPart, read_policy
from jobs.errors import ServiceUnavailable
from jobs.lake.database import Database, utc
from jobs.settings import Settings

TIMEOUT_S = 10
MOST_BYTES = 4000
"""A robot of WeCom takes 4096 bytes of text, and DingTalk's 20,000: longer text is cut at a line, with a last line that says so."""

REMEDY = "请按此格式填写：departments: {civil_affairs: [a@example.cn, b@example.cn]}"
Robot = Literal["wecom", "dingtalk"]


class Contacts(PolicyPart):
    """Mail addresses by department."""

    departments: Mapping[str, tuple[str, ...]] = Field(min_length=1)


@dataclass(frozen=True)
class Mail:
    """One mail a department, to all its addresses."""

    settings: Settings
    addresses: Mapping[str, tuple[str, ...]]
    name: str = "mail"

    def reaches(self, department: str) -> bool:
        """Whether an address is known."""
        return bool(self.addresses.get(department))

    def send(self, message: Message) -> None:
        """The digest as a plain text mail; ServiceUnavailable where the server refuses it for any address."""
        mail = EmailMessage()
        mail["Subject"], mail["From"] = message.title, self.settings.smtp_sender
        mail["To"] = ", ".join(self.addresses[message.department])
        mail.set_content("\n".join(message.texts()), charset="utf-8")
        try:
            with self._server() as server:
                refused = server.send_message(mail)
        except (OSError, smtplib.SMTPException) as error:
            raise ServiceUnavailable(f"the mail server is unavailable or refused the mail: {error}") from error
        if refused:
            raise ServiceUnavailable(f"the mail server refused {', '.join(sorted(refused))}")

    def _server(self) -> smtplib.SMTP:
        s = self.settings
        kind = smtplib.SMTP_SSL if s.smtp_security == "tls" else smtplib.SMTP
        server = kind(s.smtp_host, s.smtp_port, timeout=TIMEOUT_S)
        if s.smtp_security == "starttls":
            server.starttls()
        if s.smtp_user:
            server.login(s.smtp_user, s.smtp_password.get_secret_value())
        return server


@dataclass(frozen=True)
class Webhook:
    """A group robot; the whole group reads every department's digest, so a digest holds no record and no value."""

    name: Robot
    url: str
    secret: str = ""

    def reaches(self, department: str) -> bool:
        """Always: one group serves all departments."""
        return True

    def send(self, message: Message, now: datetime | None = None) -> None:
        """The digest in the robot's JSON; ServiceUnavailable where it answers with an error."""
        import httpx  # its import takes a tenth of a second, needed only to send

        text = truncated(message, MOST_BYTES)
        shapes: Mapping[Robot, dict[str, Any]] = {
            "wecom": {"msgtype": "markdown", "markdown": {"content": text}},
            "dingtalk": {"msgtype": "markdown", "markdown": {"title": message.title, "text": text}},
        }
        try:
            answer = httpx.post(self._address(now), json=shapes[self.name], timeout=TIMEOUT_S, trust_env=False)
            reply = answer.raise_for_status().json()
        except (httpx.HTTPError, ValueError) as error:  # the address holds a key: it is not in the message
            raise ServiceUnavailable(f"the {self.name} robot is unavailable: {type(error).__name__}") from None
        if reply.get("errcode") != 0:
            raise ServiceUnavailable(
                f"the {self.name} robot refused the digest: {reply.get('errcode')} {reply.get('errmsg')}"
            )

    def _address(self, now: datetime | None) -> str:
        """DingTalk's address is signed where the robot has a secret: HMAC-SHA256 of the time in ms and the secret."""
        if not self.secret:
            return self.url
        at = round((now or datetime.now().astimezone()).timestamp() * 1000)
        digest = hmac.digest(self.secret.encode(), f"{at}\n{self.secret}".encode(), hashlib.sha256)
        return f"{self.url}&timestamp={at}&sign={quote(base64.b64encode(digest), safe='')}"


@dataclass(frozen=True)
class Notice:
    """A notice of a department in the portal."""

    id: int
    at: datetime
    title: str
    text: str
    is_read: bool


@dataclass(frozen=True)
class PortalNotices:
    """Notices in the database, for every department."""

    database: Database
    now: datetime
    name: str = "portal"

    def reaches(self, department: str) -> bool:
        """Always."""
        return True

    def send(self, message: Message) -> None:
        """The digest as a notice."""
        text = "\n".join(message.texts())
        with self.database.session() as session:
            session.add(NoticeRow(department=message.department, at=utc(self.now), title=message.title, text=text))

    def notices(self, department: str) -> tuple[Notice, ...]:
        """A department's notices, newest first."""
        query = select(NoticeRow).where(NoticeRow.department == department).order_by(NoticeRow.id.desc())
        with self.database.session() as session:
            return tuple(
                Notice(row.id, utc(row.at), row.title, row.text, row.read_at is not None)
                for row in session.scalars(query)
            )

    def read(self, department: str, notice: int) -> None:
        """Mark a department's notice as read."""
        mine = (NoticeRow.id == notice, NoticeRow.department == department)
        with self.database.session() as session:
            session.execute(update(NoticeRow).where(*mine).values(read_at=utc(self.now)))

    def read_all(self, department: str) -> None:
        """Mark all notices of a department as read."""
        mine = (NoticeRow.read_at.is_(None), NoticeRow.department == department)
        with self.database.session() as session:
            session.execute(update(NoticeRow).where(*mine).values(read_at=utc(self.now)))


def channels(settings: Settings, database: Database, now: datetime) -> tuple[Channel, ...]:
    """The portal, and the channels that the settings configure."""
    configured: list[Channel] = [PortalNotices(database, now)]
    if settings.smtp_host and settings.contacts:
        configured.append(Mail(settings, contacts(settings.contacts)))
    if settings.wecom_url.get_secret_value():
        configured.append(Webhook("wecom", settings.wecom_url.get_secret_value()))
    if settings.dingtalk_url.get_secret_value():
        secret = settings.dingtalk_secret.get_secret_value()
        configured.append(Webhook("dingtalk", settings.dingtalk_url.get_secret_value(), secret))
    return tuple(configured)


def contacts(file: Path) -> Mapping[str, tuple[str, ...]]:
    """Addresses by department; PolicyError names file, line and remedy."""
    return read_policy(file, Contacts, REMEDY)[0].departments


def truncated(message: Message, most_bytes: int) -> str:
    """Title and lines in at most so many bytes of UTF-8; the last line says how many do not fit."""
    lines = [f"### {message.title}", *(f"- {text}" for text in message.texts())]
    for left_out in range(len(lines)):
        rest = [f"- 还有 {left_out} 个，请到平台查看"] if left_out else []
        text = "\n".join([*lines[: len(lines) - left_out], *rest])
        if len(text.encode()) <= most_bytes:
            return text
    return lines[0].encode()[:most_bytes].decode(errors="ignore")
