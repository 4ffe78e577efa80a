"""What senders really send: each file ends in a clear verdict, its bytes are kept, and nobody else is harmed."""

import io
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path

import openpyxl
import pytest

from jobs.contracts import Registry
from jobs.errors import ContractError
from jobs.ingest import archive
from jobs.ingest.land import Manifest, deliver
from jobs.ingest.landing import SIDECAR
from jobs.lake.lake import Lake
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.model.delivery import Delivery, State
from jobs.model.verdict import Verdict
from jobs.pipeline.conform import conform
from jobs.pipeline.ingestion import land, load, pending
from jobs.pipeline.watch import watch
from tests.contract_texts import STATION_FIELDS, contract

HEADER = "站点,时间,温度,回温\n"
GOOD = HEADER + "甲,2026-01-12 08:00:00,60,40\n"
EVOLVE = "  - {property: layout, value: {format: csv, encoding: utf-8, extra_columns: evolve}}\n"


@pytest.fixture
def registry(write_contracts: Callable[..., Registry]) -> Registry:
    folder = "schemas/sources/heat"
    return write_contracts(
        {
            f"{folder}/station.yaml": contract("station", STATION_FIELDS, EVOLVE),
            f"{folder}/other.yaml": contract("other", STATION_FIELDS),
        }
    )


@pytest.fixture
def arrive(lake: Lake, registry: Registry, tmp_path: Path) -> Callable[..., Delivery]:
    """Lands one file and loads it."""

    def go(name: str, body: bytes | str, dataset: str = "station", manifest: bytes = b"{}") -> Delivery:
        key = f"{Zone.LANDING}/heat/{dataset}/{name}"
        lake.store.put_bytes(key + SIDECAR, manifest)
        lake.store.put_bytes(key, body.encode() if isinstance(body, str) else body)
        (found,) = land(lake, registry)
        return load(lake, registry, found.delivery.id)

    return go


def truncated_workbook() -> bytes:
    book, buffer = openpyxl.Workbook(), io.BytesIO()
    for row in range(200):
        book.active.append([f"甲{row}", "2026-01-12 08:00:00", row, row])
    book.save(buffer)
    return buffer.getvalue()[:-400]


def bomb() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as made:
        made.writestr("a.csv", b"0" * (archive.RATIO_COUNTS_FROM + (2 << 20)))
    return buffer.getvalue()


def hostile() -> Mapping[str, tuple[bytes, str]]:
    """Name of a file → its bytes, and a word of the reason."""
    return {
        "空.csv": (b"", "为空"),
        "别的数据集.csv": ("统一社会信用代码,企业名称\n1,乙\n".encode(), "可能是其他数据集的文件"),
        "断.xlsx": (truncated_workbook(), "已损坏或没有传完"),
        "炸弹.zip": (bomb(), "疑似压缩炸弹"),
        "程序.csv": (bytes(range(256)) * 64, "二进制"),
        "文.pdf": (b"%PDF-1.7 \x00\x01", "PDF"),
    }


def verdict_of(lake: Lake, delivery: str) -> Verdict:
    found = Results(lake.delta, lake.settings.s3_bucket).verdict(delivery)
    assert found is not None
    return found


def test_files_that_cannot_be_read_are_returned_with_a_reason_and_kept(
    lake: Lake, registry: Registry, arrive: Callable[..., Delivery]
) -> None:
    for name, (body, reason) in hostile().items():
        done = arrive(name, body)
        assert (done.state, reason in done.reason) == (State.UNREADABLE, True), (name, done.reason)
        assert conform(lake, registry, done.id) == verdict_of(lake, done.id)
        verdict = verdict_of(lake, done.id)
        assert (verdict.state, verdict.rows, verdict.reason) == (State.UNREADABLE, 0, done.reason)
        assert [lake.store.get_bytes(key) for key in done.objects] == [body], name
        assert done.objects[0] == f"{Zone.RECEIVED}/heat/station/{done.id}/{name}"
    assert not lake.tables.exists(lake.path(Zone.SILVER, "station"))
    assert pending(lake, registry, "station") == []
    assert arrive("好.csv", GOOD, dataset="other").state == State.LOADED


def test_names_with_blanks_encodings_and_columns_that_nobody_agreed_on_are_read(
    lake: Lake, registry: Registry, arrive: Callable[..., Delivery]
) -> None:
    text = "站点,时间,温度,回温,水.压,水 压,a`b\n甲,2026-01-12 08:00:00,60,40,0.3,0.4,x\n"
    done = arrive("换热站 读数（1 月）'更正'#2.csv", text.encode("gb18030"))
    assert conform(lake, registry, done.id).state == State.ACCEPTED
    assert {"encoding_differs", "encoding_detected"} & {f.kind for f in done.findings}
    (row,) = lake.tables.read(lake.path(Zone.SILVER, "station")).collect()
    assert (row.station, row["水_压"], row["水_压_2"], row["a_b"]) == ("甲", "0.3", "0.4", "x")
    assert row._file == "换热站 读数（1 月）'更正'#2.csv"


def test_a_column_that_nobody_agreed_on_may_leave_again(
    lake: Lake, registry: Registry, arrive: Callable[..., Delivery]
) -> None:
    wide = arrive("宽.csv", "站点,时间,温度,回温,水压\n甲,2026-01-12 08:00:00,60,40,0.3\n".encode())
    conform(lake, registry, wide.id)
    narrow = arrive("窄.csv", "站点,时间,温度,回温\n乙,2026-01-12 08:00:00,60,40\n".encode())
    assert conform(lake, registry, narrow.id).state == State.ACCEPTED
    rows = lake.tables.read(lake.path(Zone.SILVER, "station")).collect()
    assert sorted((row.station, row["水压"]) for row in rows) == [("乙", None), ("甲", "0.3")]


def test_a_file_with_a_header_alone_is_refused_whole(
    lake: Lake, registry: Registry, arrive: Callable[..., Delivery]
) -> None:
    verdict = conform(lake, registry, arrive("a.csv", HEADER).id)
    assert (verdict.state, verdict.good_rows) == (State.REFUSED, 0)
    assert "少于约定的最少 1 行" in verdict.reason and "整批拒收" in verdict.reason


@pytest.mark.parametrize(
    "manifest",
    [
        b"{not json",
        b"[" * 200_000,
        b'{"rows": 99999999999999999999999}',
        b'{"sender": "' + b"x" * 5000 + b'"}',
        b'{"supersedes": "x\') OR (1=1"}',
        b"\xff\xfe",
    ],
)
def test_what_a_sender_may_not_say_is_left_out_and_the_file_goes_on(
    arrive: Callable[..., Delivery], manifest: bytes
) -> None:
    done = arrive("a.csv", GOOD, manifest=manifest)
    assert (done.state, done.sender, done.declared_rows, done.supersedes) == (State.LOADED, "", None, None)


def test_a_delivery_of_another_dataset_cannot_be_replaced(lake: Lake, arrive: Callable[..., Delivery]) -> None:
    other = arrive("a.csv", GOOD, dataset="other")
    arrive("a.csv", GOOD, manifest=f'{{"supersedes": "{other.id}"}}'.encode())
    assert lake.ledger.get(other.id).superseded_by is None


def test_a_folder_that_no_contract_names_is_returned_and_kept(lake: Lake, registry: Registry, tmp_path: Path) -> None:
    file = tmp_path / "a.csv"
    file.write_text(GOOD, "utf-8")
    deliver(lake.store, [file], "没有 契约'的", "heat", Manifest())
    (found,) = land(lake, registry)
    assert (found.delivery.state, "没有数据契约" in found.delivery.reason) == (State.UNREADABLE, True)
    assert lake.store.get_bytes(found.delivery.objects[0]).decode() == GOOD
    assert land(lake, registry) == ()


@pytest.mark.parametrize(("text", "end"), [(GOOD, State.LOADED), ("", State.UNREADABLE)])
def test_what_came_before_its_contract_is_taken_when_the_contract_is_there(
    lake: Lake, registry: Registry, write_contracts: Callable[..., Registry], tmp_path: Path, text: str, end: State
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(text, "utf-8")
    deliver(lake.store, [file], "late", "heat", Manifest())
    (found,) = land(lake, registry)
    assert found.delivery.state is State.UNREADABLE
    with_contract = write_contracts({"schemas/sources/heat/late.yaml": contract("late", STATION_FIELDS)})
    assert watch(lake, with_contract) == [("landing/late", found.delivery.id)]
    assert pending(lake, with_contract, "late") == [found.delivery.id]
    assert load(lake, with_contract, found.delivery.id).state is end
    conform(lake, with_contract, found.delivery.id)
    assert pending(lake, with_contract, "late") == [], "judged, so nobody is woken for it again"


def test_a_broken_contract_names_its_file_and_line(write_contracts: Callable[..., Registry]) -> None:
    broken = contract("broken", STATION_FIELDS).replace("logicalType: number}", "logicalType: numbr}")
    with pytest.raises(ContractError, match=r"broken\.yaml:\d+: .*numbr"):
        write_contracts({"schemas/sources/heat/broken.yaml": broken})


def test_two_hundred_thousand_rows_keep_their_numbers(lake: Lake, arrive: Callable[..., Delivery]) -> None:
    rows = 200_000
    text = HEADER + "".join(f"站{n},2026-01-12 08:00:00,60,40\n" for n in range(2, rows + 2))
    done = arrive("a.csv", text)
    assert (done.state, done.counted_rows) == (State.LOADED, rows)
    table = lake.delta.rows(lake.path(Zone.BRONZE, "station"), done)
    assert sorted(table["_row"].to_pylist()) == list(range(2, rows + 2))
    assert all(
        name == f"站{n}" for name, n in zip(table["station"].to_pylist(), table["_row"].to_pylist(), strict=True)
    )
