"""Files handed over in the browser: streamed in parts, whole or not at all, named safely, watched until the verdict."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from jobs.ingest.land import land
from jobs.model.delivery import State
from jobs.serving.portal import uploads
from jobs.serving.portal.app import guarded
from jobs.serving.portal.authentication import InvalidForm
from jobs.serving.portal.multipart import WrongKind, check_head, parts, safe_name
from jobs.serving.portal.services import incoming
from tests.unit.serving.portal.portal_city import NOW, Browser, City, city, delivered

CSV = "代码,名称\n371502,东昌府区\n".encode()


@pytest.fixture
def town(made_url: str, tmp_path: Path) -> Iterator[City]:
    made = city(tmp_path, made_url)
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()


def hand_over(browser: Browser, data: Any = CSV, name: str = "区划.csv", **fields: str) -> Any:
    return browser.post("/uploads", {"dataset": "divisions", **fields}, files={"file": (name, data)})


def test_a_file_becomes_a_delivery_with_its_covering_letter_and_is_watched_until_its_report(town: City) -> None:
    browser = Browser(town.portal, "own")
    old = delivered(town, "divisions", 9)
    answer = hand_over(browser, rows="1", supersedes=old, answers=town.issue, sent_on="2026-01-10")
    assert answer.status_code == 303
    place = answer.headers["location"]
    assert browser.get(place + "/state").json()["done"] == 1
    assert "等待登记" in browser.get(place).text

    (one,) = [x for x in land(town.portal.lake, {"divisions": "civil_affairs"}, NOW) if x.is_new]
    assert (one.delivery.supersedes, one.delivery.answers) == (old, (town.issue,))
    assert (one.delivery.declared_rows, one.delivery.sender) == (1, "李四（own）")
    assert one.delivery.names() == ("区划.csv",)
    assert one.delivery.id in browser.get(place).text
    assert browser.get(place + "/state").json()["state"] == "landed"

    town.portal.lake.ledger.move(one.delivery.id, State.ACCEPTED)
    assert browser.get(place + "/state").json() | {"message": ""} == {
        "done": 4, "steps": 5, "state": "accepted", "label": "合格入库", "message": "", "is_over": False, "report": "",
    }  # fmt: skip
    town.store.objects[f"reports/civil_affairs/divisions/{one.delivery.id}.html"] = b"x"
    over = browser.get(place + "/state").json()
    assert over["is_over"] and over["report"].endswith(f"{one.delivery.id}.html")
    assert "查看质检报告" in browser.get(place).text and "区划.csv" in browser.get("/uploads").text


def test_a_large_file_goes_in_parts_and_never_stands_in_memory(town: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incoming, "PART_BYTES", 1 << 20)
    data = CSV + b"1,2\n" * (2 << 20)
    assert hand_over(Browser(town.portal, "own"), BytesIO(data)).status_code == 303
    (stored,) = [v for k, v in town.store.objects.items() if k.endswith("区划.csv")]
    assert stored == data
    assert town.store.largest < (1 << 20) + (1 << 17) < len(data)


def test_the_manifest_comes_last_so_that_half_a_delivery_is_none(town: City, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("store went away")

    monkeypatch.setattr(town.store, "put_bytes", refuse)
    assert hand_over(Browser(town.portal, "own")).status_code == 500
    assert land(town.portal.lake, {"divisions": "civil_affairs"}, NOW) == ()


def test_a_broken_upload_leaves_nothing(town: City) -> None:
    browser = Browser(town.portal, "own")
    head = (
        f'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{browser.csrf()}\r\n'
        '--b\r\nContent-Disposition: form-data; name="dataset"\r\n\r\ndivisions\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n1,2\n3,4\n5,6\n7,8\n9,0\n'
    )
    headers = {"content-type": "multipart/form-data; boundary=b"}
    answer = browser.client.post("/uploads", content=head.encode(), headers=headers)
    assert answer.status_code == 422 and "中断" in answer.text
    assert len(town.store.aborted) == 1 and town.store.begun == []
    assert not any(key.startswith("landing/") for key in town.store.objects)


def test_a_browser_that_goes_away_leaves_nothing(town: City) -> None:
    browser = Browser(town.portal, "own")
    word, token = browser.csrf(), browser.token()
    head = (
        f'--b\r\nContent-Disposition: form-data; name="csrf"\r\n\r\n{word}\r\n'
        '--b\r\nContent-Disposition: form-data; name="dataset"\r\n\r\ndivisions\r\n'
        '--b\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n1,2\n3,4\n5,6\n7,8\n9,0\n'
    ).encode()
    messages = [{"type": "http.request", "body": head, "more_body": True}, {"type": "http.disconnect"}]
    scope = {
        "type": "http", "method": "POST", "path": "/uploads", "raw_path": b"/uploads", "query_string": b"",
        "headers": [
            (b"content-type", b"multipart/form-data; boundary=b"), (b"cookie", f"lake_session={token}".encode()),
        ],
        "client": ("127.0.0.1", 1), "server": ("portal.test", 80), "scheme": "http", "http_version": "1.1",
    }  # fmt: skip

    async def receive() -> Any:
        return messages.pop(0)

    async def send(_: Any) -> None:
        return None

    async def run() -> None:
        await guarded(town.portal)(scope, receive, send)

    asyncio.run(run())
    assert len(town.store.aborted) == 1 and town.store.begun == []


@pytest.mark.parametrize(
    ("name", "data", "status", "said"),
    [
        ("a.exe", b"MZ" + b"x" * 50, 415, "不接收这种文件"),
        ("a.csv", b"MZ" + b"x" * 50, 415, "不是 .csv 文本"),
        ("a.csv", b"%PDF-1.7" + b"x" * 50, 415, "不是 .csv 文本"),
        ("a.xlsx", CSV * 3, 415, "不是 .xlsx 格式"),
        ("a.zip", CSV * 3, 415, "不是 .zip 格式"),
        ("a.csv", b"", 415, "空的"),
        ("_manifest.json", b"{}", 303, ""),
        ("x.manifest.json", b"{}", 415, "不接收这种文件"),
        ("a.zip", b"PK\x03\x04" + b"x" * 50, 303, ""),
    ],
)
def test_wrong_kinds_are_refused_in_chinese(town: City, name: str, data: bytes, status: int, said: str) -> None:
    answer = hand_over(Browser(town.portal, "own"), data, name)
    assert answer.status_code == status and said in answer.text
    assert town.store.begun == []
    if status != 303:
        assert not any(key.startswith("landing/") for key in town.store.objects)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("../../etc/passwd.csv", "passwd.csv"),
        ("..\\..\\windows\\a.csv", "a.csv"),
        ("/etc/cron.d/a.csv", "a.csv"),
        ("a\x00b\n.csv", "ab.csv"),
        ("\u202egpj.csv", "gpj.csv"),
        ("....csv", "upload.csv"),
        (".htaccess.csv", "htaccess.csv"),
        ("区划 2026年1月.CSV", "区划 2026年1月.CSV"),
        ("_manifest.json", "manifest.json"),
        ("x" * 300 + ".csv", "x" * 96 + ".csv"),
        ('a"b<c>|d?.csv', "abcd.csv"),
    ],
)
def test_names_are_made_safe(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_file_that_is_too_large_is_refused_at_once_or_on_the_way(made_sqlite: Path, tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(made_sqlite.read_bytes())
    small = city(tmp_path, f"sqlite:///{tmp_path / 'state.db'}", portal_upload_mib=1)
    browser = Browser(small.portal, "own")
    over = b"1,2\n" * ((1 << 18) + 1)
    answer = hand_over(browser, over)
    assert answer.status_code == 413 and "超过 1 MiB" in answer.text
    told = hand_over(browser, over * 3)
    assert told.status_code == 413, "refused by what the request says of its length"
    assert small.store.begun == [] and not any(k.startswith("landing/") for k in small.store.objects)
    small.portal.tickets.database.close()
    small.portal.lake.ledger.close()


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"dataset": ""}, 422),
        ({"dataset": "nonsense"}, 422),
        ({"dataset": "gas_regulator_readings"}, 403),
        ({"rows": "many"}, 422),
        ({"supersedes": "divisions-000000000000"}, 422),
        ({"answers": "T-999999"}, 422),
        ({"sent_on": "yesterday"}, 422),
    ],
)
def test_what_the_letter_says_must_hold(town: City, fields: dict[str, str], status: int) -> None:
    answer = hand_over(Browser(town.portal, "own"), **fields)
    assert answer.status_code == status and town.store.begun == []


def test_two_files_in_one_form_are_refused_and_the_first_is_forgotten(town: City) -> None:
    browser = Browser(town.portal, "own")
    files = [("file", ("a.csv", CSV)), ("file", ("b.csv", CSV))]
    answer = browser.post("/uploads", {"dataset": "divisions"}, files=files)
    assert answer.status_code == 422 and "zip" in answer.text
    assert len(town.store.aborted) == 1 and town.store.begun == []


def test_a_filled_pack_is_handed_to_the_pipeline_and_no_copy_is_left(town: City) -> None:
    browser = Browser(town.portal, "own")
    file = {"file": ("../整改.xlsx", b"PK\x03\x04" + b"x" * 20)}
    answer = browser.post(f"/tickets/{town.issue}/answer", files=file)
    assert answer.status_code == 303
    assert town.workbooks.answered == [(town.issue, "整改.xlsx", b"PK\x03\x04" + b"x" * 20)]
    assert "整改包已收下" in browser.get(answer.headers["location"]).text
    wrong = browser.post(f"/tickets/{town.issue}/answer", files={"file": ("a.xlsx", CSV * 2)})
    assert wrong.status_code == 415 and len(town.workbooks.answered) == 1


def test_an_answer_has_a_limit_of_its_own(town: City, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "ANSWER_BYTES", 1000)
    answer = Browser(town.portal, "own").post(
        f"/tickets/{town.issue}/answer", files={"file": ("a.csv", b"1,2\n" * 999)}
    )
    assert answer.status_code == 413 and town.workbooks.answered == []


def test_a_form_without_a_file_or_of_another_kind_is_told_so(town: City) -> None:
    browser = Browser(town.portal, "own")
    assert browser.post("/uploads", {"dataset": "divisions"}).status_code == 422
    field = {"csrf": (None, browser.csrf())}
    assert browser.client.post("/uploads", files=field).status_code == 422


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_parts_do_not_depend_on_how_the_bytes_come(size: int) -> None:
    body = (
        b'--B\r\nContent-Disposition: form-data; name="x"\r\n\r\n\xe4\xb8\xad\r\n'
        b'--B\r\nContent-Disposition: form-data; name="f"; filename="\xe7\x94\xb2.csv"\r\nContent-Type: text/csv\r\n\r\n'
        b"a\r\n--b\r\n\r\n--B--\r\n"
    )

    async def stream() -> AsyncIterator[bytes]:
        for start in range(0, len(body), size):
            yield body[start : start + size]

    async def collect() -> list[Any]:
        return [part async for part in parts(stream(), "multipart/form-data; boundary=B")]

    found = asyncio.run(collect())
    assert (found[0].name, found[0].value, found[1].name) == ("x", "中", "甲.csv")
    assert b"".join(p for p in found if isinstance(p, bytes)) == b"a\r\n--b\r\n"


@pytest.mark.parametrize("kind", ["", "text/plain", "multipart/form-data", "application/x-www-form-urlencoded"])
def test_what_is_no_form_with_a_file_is_no_form(kind: str) -> None:
    async def nothing() -> AsyncIterator[bytes]:
        yield b"x"

    async def collect() -> None:
        async for _ in parts(nothing(), kind):
            pass

    with pytest.raises(InvalidForm):
        asyncio.run(collect())


def test_heads_of_the_right_kinds_pass() -> None:
    for name, head in (
        ("a.gz", b"\x1f\x8b12"),
        ("a.parquet", b"PAR1"),
        ("a.json", b"[1]"),
        ("a.xls", b"\xd0\xcf\x11\xe0"),
    ):
        check_head(name, head)
    with pytest.raises(WrongKind):
        check_head("a.json", b"\x1f\x8b12")


def test_the_same_file_handed_over_after_something_newer_is_watched_as_the_delivery_that_it_became(town: City) -> None:
    browser = Browser(town.portal, "own")
    places = [hand_over(browser).headers["location"]]
    (first,) = [x.delivery for x in land(town.portal.lake, {"divisions": "civil_affairs"}, NOW) if x.is_new]
    delivered(town, "divisions", 9)
    places.append(hand_over(browser).headers["location"])
    (second,) = [x.delivery for x in land(town.portal.lake, {"divisions": "civil_affairs"}, NOW) if x.is_new]
    assert second.id == f"{first.id}-2"
    town.portal.lake.ledger.move(first.id, State.ACCEPTED)
    assert [browser.get(place + "/state").json()["state"] for place in places] == ["accepted", "landed"]
    assert second.id in browser.get(places[1]).text and second.id not in browser.get(places[0]).text
