"""Reminders: one digest a department, each share once; sent for real to servers on this machine."""

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from email import message_from_bytes, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Thread
from typing import Any
from urllib.parse import parse_qs, urlparse

import pytest
from aiosmtpd.controller import Controller
from pydantic import SecretStr

from jobs.collaboration.channels import Mail, PortalNotices, Webhook, channels, contacts, truncated
from jobs.collaboration.reminders import Digest
from jobs.collaboration.tickets import Tickets
from jobs.errors import PolicyError, ServiceUnavailable
from jobs.settings import Settings
from tests.postgres import free_port
from tests.unit.collaboration.samples import ASKER, CORRECTION, ISSUE, WHOLE, at, moved

NOW = at("2026-01-12")  # due on the 26th: half on the 19th, four fifths on the 22nd


class Box:
    """A channel that records digests; `is_away` makes it refuse."""

    name = "box"

    def __init__(self) -> None:
        self.digests: list[Digest] = []
        self.is_away = False

    def reaches(self, department: str) -> bool:
        return department != "unknown"

    def send(self, digest: Digest) -> None:
        if self.is_away:
            raise ServiceUnavailable("away")
        self.digests.append(digest)


def told(box: Box) -> list[tuple[str, list[str], list[tuple[int, ...]]]]:
    found = [(d.department, [line.ticket for line in d.lines], [line.pcts for line in d.lines]) for d in box.digests]
    box.digests.clear()
    return found


def test_a_department_gets_one_digest_for_all_its_tickets_and_each_share_once(tickets: Tickets) -> None:
    one, two, other = tickets.found(
        [ISSUE, replace(ISSUE, field="code"), replace(ISSUE, provider="liaocheng_gas", dataset="gas")], NOW
    )
    box = Box()
    assert tickets.remind([box], at("2026-01-16")) == ()
    tickets.remind([box], at("2026-01-19"))
    assert told(box) == [("civil_affairs", [one, two], [(50,), (50,)]), ("liaocheng_gas", [other], [(50,)])]
    assert tickets.remind([box], at("2026-01-21")) == ()
    tickets.rechecked(two, [WHOLE], at("2026-01-21"))
    tickets.remind([box], at("2026-01-26"))
    assert told(box) == [("civil_affairs", [one], [(80, 100)]), ("liaocheng_gas", [other], [(80, 100)])]
    assert tickets.remind([box], at("2026-02-26")) == ()


def test_a_digest_says_what_is_due_and_what_is_late(tickets: Tickets) -> None:
    tickets.found([ISSUE, replace(ISSUE, field="code", error_class="feed_down")], NOW)
    (digest,) = tickets.reminders(at("2026-01-22"), "box")
    assert digest.title == "【数据整改提醒】civil_affairs：2 个工单临近到期，其中 1 个已逾期"
    late, due = digest.texts()
    assert "T-000002 已派单（待签收）：已逾期，应于 2026-01-13 办结" in late
    assert (
        due
        == "T-000001 已派单（待签收）：时限已过 80%，2026-01-26 到期。divisions.name_required 「名称」不能为空，余 10 行"
    )


def test_paused_tickets_send_no_reminder(tickets: Tickets) -> None:
    (one,) = tickets.found([ISSUE], NOW)
    moved(tickets, one, "suspend:officer", at("2026-01-13"))
    assert tickets.reminders(at("2026-02-13"), "box") == ()


def test_before_a_request_is_dispatched_the_bureau_is_reminded(tickets: Tickets) -> None:
    asked = tickets.requested(CORRECTION, ASKER, NOW)
    assert [d.department for d in tickets.reminders(at("2026-01-19"), "box")] == ["bureau"]
    moved(tickets, asked, "confirm:officer", at("2026-01-19"))
    assert [d.department for d in tickets.reminders(at("2026-01-19"), "box")] == ["bureau"]
    moved(tickets, asked, "dispatch:officer", at("2026-01-19"))
    assert [d.department for d in tickets.reminders(at("2026-01-19"), "box")] == ["civil_affairs"]


def test_what_a_channel_did_not_take_is_tried_again_and_other_channels_do_not_mind(tickets: Tickets) -> None:
    tickets.found([ISSUE], NOW)
    box, other = Box(), Box()
    box.is_away, other.name = True, "other"
    (failed, done) = tickets.remind([box, other], at("2026-01-19"))
    assert (failed.tickets, failed.error, done.tickets) == (0, "away", 1)
    box.is_away = False
    (again,) = tickets.remind([box, other], at("2026-01-19"))
    assert (again.channel, again.tickets) == ("box", 1)


def test_a_department_that_a_channel_does_not_reach_stays_due(tickets: Tickets) -> None:
    tickets.found([replace(ISSUE, provider="unknown")], NOW)
    assert tickets.remind([Box()], at("2026-01-19")) == ()
    assert len(tickets.reminders(at("2026-01-19"), "box")) == 1


def test_two_who_send_at_once_send_once(tickets: Tickets) -> None:
    tickets.found([replace(ISSUE, field=f"f{n}") for n in range(3)], NOW)
    box, start = Box(), Barrier(2)

    class Slow(Box):
        def reaches(self, department: str) -> bool:
            start.wait()
            return True

    slow = Slow()
    slow.digests = box.digests
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: tickets.remind([slow], at("2026-01-19")), range(2)))
    (digest,) = box.digests
    assert len(digest.lines) == 3


@pytest.fixture
def digest(local_tickets: Tickets) -> Digest:
    local_tickets.found([ISSUE], NOW)
    return local_tickets.reminders(at("2026-01-22"), "x")[0]


class Letters:
    """An SMTP server's handler that records mails and refuses one address."""

    def __init__(self) -> None:
        self.kept: list[tuple[list[str], bytes]] = []

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address.startswith("gone"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.kept.append((envelope.rcpt_tos, envelope.content))
        return "250 OK"


@pytest.fixture
def letters() -> Iterator[tuple[Letters, Settings]]:
    handler = Letters()
    server = Controller(handler, hostname="127.0.0.1", port=free_port())
    server.start()
    settings = Settings(
        smtp_host="127.0.0.1", smtp_port=server.port, smtp_security="none", smtp_sender="lake@example.cn"
    )
    yield handler, settings
    server.stop()


def test_a_mail_arrives_complete_in_chinese_at_all_addresses(letters: tuple[Letters, Settings], digest: Digest) -> None:
    handler, settings = letters
    mail = Mail(settings, {"civil_affairs": ("a@example.cn", "b@example.cn")})
    assert mail.reaches("civil_affairs") and not mail.reaches("liaocheng_gas")
    mail.send(digest)
    ((to, raw),) = handler.kept
    letter = message_from_bytes(raw, policy=policy.default)
    assert to == ["a@example.cn", "b@example.cn"] and letter["From"] == "lake@example.cn"
    assert letter["Subject"] == digest.title
    body = letter.get_body()
    assert body and body.get_content().strip() == "\n".join(digest.texts())


def test_a_mail_that_is_refused_or_meets_no_server_is_an_outage(
    letters: tuple[Letters, Settings], digest: Digest
) -> None:
    _, settings = letters
    with pytest.raises(ServiceUnavailable, match=r"refused gone@example\.cn"):
        Mail(settings, {"civil_affairs": ("a@example.cn", "gone@example.cn")}).send(digest)
    away = settings.model_copy(update={"smtp_port": free_port()})
    with pytest.raises(ServiceUnavailable, match="is unavailable or refused"):
        Mail(away, {"civil_affairs": ("a@example.cn",)}).send(digest)
    secure = settings.model_copy(update={"smtp_security": "starttls"})
    with pytest.raises(ServiceUnavailable, match="is unavailable or refused"):
        Mail(secure, {"civil_affairs": ("a@example.cn",)}).send(digest)


class Robot(ThreadingHTTPServer):
    """A robot server that records requests and returns the given answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), RobotHandler)
        self.posts: list[tuple[str, dict[str, Any]]] = []
        self.status, self.answer = 200, '{"errcode": 0, "errmsg": "ok"}'

    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/robot/send?key=secret-key"


class RobotHandler(BaseHTTPRequestHandler):
    server: Robot

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, json.loads(body)))
        self.send_response(self.server.status)
        self.end_headers()
        self.wfile.write(self.server.answer.encode())

    def log_message(self, format: str, *args: Any) -> None:
        """Keep the test's output clean."""


@pytest.fixture
def robot() -> Iterator[Robot]:
    with Robot() as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_wecom_gets_its_own_shape(robot: Robot, digest: Digest) -> None:
    Webhook("wecom", robot.url()).send(digest)
    ((path, body),) = robot.posts
    assert path == "/robot/send?key=secret-key"
    assert body == {"msgtype": "markdown", "markdown": {"content": f"### {digest.title}\n- {next(digest.texts())}"}}


def test_dingtalk_gets_its_own_shape_and_a_signature(robot: Robot, digest: Digest) -> None:
    Webhook("dingtalk", robot.url(), "SECabc").send(digest, NOW)
    ((path, body),) = robot.posts
    stamp = str(round(NOW.timestamp() * 1000))
    sign = base64.b64encode(hmac.digest(b"SECabc", f"{stamp}\nSECabc".encode(), hashlib.sha256)).decode()
    query = parse_qs(urlparse(path).query)
    assert (query["timestamp"], query["sign"], query["key"]) == ([stamp], [sign], ["secret-key"])
    assert set(body["markdown"]) == {"title", "text"} and body["markdown"]["title"] == digest.title


@pytest.mark.parametrize(
    ("status", "answer", "said"),
    [(200, '{"errcode": 93000, "errmsg": "invalid webhook url"}', "93000"), (502, "", "HTTPStatusError"), (200, "<html>", "JSONDecodeError")],
)  # fmt: skip
def test_a_robot_that_refuses_is_an_outage_and_its_key_is_not_disclosed(
    robot: Robot, digest: Digest, status: int, answer: str, said: str
) -> None:
    robot.status, robot.answer = status, answer
    with pytest.raises(ServiceUnavailable, match=said) as told_:
        Webhook("wecom", robot.url()).send(digest)
    assert "secret-key" not in str(told_.value) and told_.value.__cause__ is None


def test_an_unavailable_robot_is_an_outage(digest: Digest) -> None:
    with pytest.raises(ServiceUnavailable, match="ConnectError"):
        Webhook("wecom", f"http://127.0.0.1:{free_port()}/").send(digest)


def test_a_digest_that_is_too_long_is_cut_at_a_line_and_says_so(local_tickets: Tickets) -> None:
    local_tickets.found([replace(ISSUE, field=f"f{n}") for n in range(60)], NOW)
    (digest,) = local_tickets.reminders(at("2026-01-22"), "x")
    text = truncated(digest, 4000)
    shown = text.count("\n- T-")
    assert len(text.encode()) <= 4000 and text.endswith(f"- 还有 {60 - shown} 个，请到平台查看")
    assert 0 < shown < 60 and truncated(digest, 10**6).count("\n- T-") == 60
    assert len(truncated(digest, 20).encode()) <= 20


def test_a_notice_is_found_by_its_department_and_read(tickets: Tickets) -> None:
    tickets.found([ISSUE], NOW)
    portal = PortalNotices(tickets.database, at("2026-01-22"))
    (sent,) = tickets.remind([portal], at("2026-01-22"))
    assert (sent.channel, sent.tickets) == ("portal", 1)
    notice, dispatched = portal.notices("civil_affairs")
    assert (
        dispatched.title == "工单派单"
        and notice.at == at("2026-01-22")
        and "T-000001" in notice.text
        and not notice.is_read
    )
    portal.read("liaocheng_gas", notice.id)
    assert not portal.notices("civil_affairs")[0].is_read, "somebody else's notice stays as it is"
    portal.read("civil_affairs", notice.id)
    assert [one.is_read for one in portal.notices("civil_affairs")] == [True, False]
    assert portal.notices("liaocheng_gas") == ()
    portal.read_all("civil_affairs")
    assert all(one.is_read for one in portal.notices("civil_affairs"))


def test_events_of_one_kind_are_one_notice_until_somebody_reads_it(tickets: Tickets) -> None:
    many = [replace(ISSUE, field=f"f{number}", message=f"第 {number} 个字段为空") for number in range(3)]
    ids = tickets.found(many, NOW)
    portal = PortalNotices(tickets.database, NOW)
    (notice,) = portal.notices("civil_affairs")
    assert notice.text.split("\n") == [f"{one} {issue.message}" for one, issue in zip(ids, many, strict=True)]
    portal.read_all("civil_affairs")
    tickets.found([replace(ISSUE, field="later")], NOW)
    assert [one.is_read for one in portal.notices("civil_affairs")] == [False, True]


def test_the_bureau_is_notified_of_a_dispute_and_the_department_of_the_decision(tickets: Tickets) -> None:
    (one,) = tickets.found([ISSUE], NOW)
    moved(tickets, one, "sign:reporter dispute:approver dismiss_dispute:officer", NOW)
    portal = PortalNotices(tickets.database, NOW)
    assert [notice.title for notice in portal.notices("bureau")] == ["工单申诉"]
    assert [notice.title for notice in portal.notices("civil_affairs")] == ["工单申诉不成立", "工单派单"]


def test_channels_are_those_that_the_settings_name(tmp_path: Path, local_tickets: Tickets) -> None:
    file = tmp_path / "contacts.yaml"
    file.write_text("departments: {civil_affairs: [a@example.cn]}\n", "utf-8")
    robots = {"wecom_url": SecretStr("http://w"), "dingtalk_url": SecretStr("http://d")}
    for settings, names in (
        (Settings(), ["portal"]),
        (Settings(smtp_host="h"), ["portal"]),
        (Settings(smtp_host="h", contacts=file, **robots), ["portal", "mail", "wecom", "dingtalk"]),
    ):
        assert [c.name for c in channels(settings, local_tickets.database, NOW)] == names
    file.write_text("departments: [a@example.cn]\n", "utf-8")
    with pytest.raises(PolicyError, match="请按此格式填写"):
        contacts(file)
