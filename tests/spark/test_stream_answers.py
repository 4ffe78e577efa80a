"""A sealed hour's workbook for correction: the department fills it in, and the answer proves the rows corrected."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from openpyxl import Workbook, load_workbook

from jobs.contracts import Registry
from jobs.contracts.correction import DATA, PROBLEMS
from jobs.lake.lake import Lake
from jobs.lake.zones import Zone
from jobs.pipeline.correction_workbook import answer_ticket, ticket_workbook
from jobs.pipeline.stream_seal import seal_due
from jobs.pipeline.ticket_store import open_tickets
from jobs.pipeline.tickets import govern
from tests.spark.readings import SEALED, all_rows, reading, run, send, with_contracts
from tests.spark.test_loop import OFFICER, OWNER, judged, ticket


def test_a_sealed_hour_is_corrected_by_its_workbook(
    stream_lake: Lake, write_contracts: Callable[..., Registry], tmp_path: Path
) -> None:
    registry = with_contracts(stream_lake, write_contracts)
    by_header = {"站点": "B", "时间": reading("B", 2)["read_at"], "温度": 400, "回温": 40}
    send(stream_lake, [reading("A", 1), reading("A", 2, temp=500.0), by_header, b"no json"])
    run(stream_lake, registry)
    opened = [
        one for hour in seal_due(stream_lake, registry, SEALED) for one in govern(stream_lake, registry, hour).tickets
    ]
    assert _rules(stream_lake, opened) == ["row_shape", "temp_c_range"], "none for what the unreadable message lacks"

    unreadable = _workbook(stream_lake, registry, "row_shape", tmp_path / "shape.xlsx")
    assert [(row[9], str(row[14])[:14]) for row in _problems(unreadable)] == [("no json", "该条消息不是有效的 JSON")]
    assert [cell.protection.locked for cell in unreadable[DATA][3]] == [
        False
    ] * 4  # the department fills in the whole row

    file = tmp_path / "range.xlsx"
    book = _workbook(stream_lake, registry, "temp_c_range", file)
    assert [(str(row[4])[:4], row[9]) for row in _problems(book)] == [("站点=A", "500.0"), ("站点=B", "400")]
    sheet = book[DATA]
    assert [cell.value for cell in sheet[4]] == ["B", by_header["时间"], "400", "40"]
    for row in (3, 4):
        sheet.cell(row, 3).value = "61.5"
    book.save(file)
    answer_ticket(stream_lake, registry, ticket(stream_lake, "temp_c_range").id, OWNER, file)
    assert [outcome.is_closed for outcome in judged(stream_lake, registry).outcomes] == [True]
    temps = {(row["station"], row["temp_c"]) for row in all_rows(stream_lake, Zone.SILVER)}
    assert temps == {("A", 60.0), ("A", 61.5), ("B", 61.5)}


def _rules(lake: Lake, ids: Sequence[str]) -> list[str]:
    with open_tickets(lake) as tickets:
        return sorted(tickets.ticket(one, OFFICER, datetime.now(UTC)).rule for one in ids)


def _workbook(lake: Lake, registry: Registry, rule: str, file: Path) -> Workbook:
    file.write_bytes(ticket_workbook(lake, registry, ticket(lake, rule).id, OWNER))
    return load_workbook(file)


def _problems(book: Workbook) -> list[tuple[object, ...]]:
    return list(book[PROBLEMS].iter_rows(min_row=2, values_only=True))
