"""Published entries against the lake: each difference is a ticket until the check finds it gone."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.catalogue import entries
from jobs.catalogue.attributes import Attributes
from jobs.lake.zones import TablePath, Zone
from jobs.model.ticket import Published
from jobs.pipeline.catalogue import Record, propose
from jobs.pipeline.catalogue_check import compare_catalogue, coverage, identifier, source_faults
from tests.unit.collaboration.samples import APPROVER, OFFICER, REPORTER, at, moved
from tests.unit.serving.portal.portal_city import City, city, delivered, shipped

NOW = at("2026-01-12")
STATED = {
    "share": "unconditional",
    "share_method": "interface",
    "opening": "unconditional",
    "secrecy_assessment": "不涉密",
}


@pytest.fixture
def town(made_url: str, tmp_path: Path) -> Iterator[City]:
    made = city(tmp_path, made_url)
    yield made
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()
    made.portal.lake.streams.close()


def published(town: City, **stated: str) -> None:
    """The entry of the divisions, published."""
    ticket = propose(shipped(), town.portal.tickets, "divisions", STATED | stated, (REPORTER, NOW))
    for way in ("submit:reporter", "endorse:approver", "publish:officer"):
        moved(town.portal.tickets, ticket, way, NOW)


def mounted(town: City, *lacking: str) -> None:
    """A curated table of the divisions."""
    names = [f.name for f in shipped().contract("divisions").fields if f.name not in lacking]
    table = pa.table({name: pa.array([], pa.string()) for name in [*names, "_delivery"]})
    path: TablePath = town.portal.lake.path(Zone.SILVER, "divisions")
    town.portal.lake.delta.put(path, table)  # type: ignore[attr-defined]


def checks(town: City, when: object = NOW) -> list[str]:
    found = compare_catalogue(town.portal.lake, shipped(), town.portal.tickets, when)  # type: ignore[arg-type]
    return [fault.check for fault in found.faults]


def test_an_entry_that_is_not_published_owes_nothing(town: City) -> None:
    assert checks(town) == []


def test_a_published_entry_without_rows_is_a_ticket_that_closes_when_they_come(town: City) -> None:
    published(town)
    first = compare_catalogue(town.portal.lake, shipped(), town.portal.tickets, NOW)
    assert [fault.check for fault in first.faults] == ["mounted"]
    (ticket,) = first.opened
    shown = town.portal.tickets.ticket(ticket, REPORTER, NOW)
    assert (shown.label, shown.provider) == ("已派单（待签收）", "civil_affairs")
    assert shown.clock is not None and shown.clock.length == 10
    assert compare_catalogue(town.portal.lake, shipped(), town.portal.tickets, NOW).opened == (), "the same fault again"
    mounted(town)
    assert compare_catalogue(town.portal.lake, shipped(), town.portal.tickets, NOW).closed == (ticket,)
    assert town.portal.tickets.ticket(ticket, OFFICER, NOW).label == "已关闭"
    assert town.portal.tickets.audit_verify().broken is None


def test_people_do_not_close_what_a_check_found(town: City) -> None:
    published(town)
    (ticket,) = compare_catalogue(town.portal.lake, shipped(), town.portal.tickets, NOW).opened
    assert "pass" not in {step.event for step in town.portal.tickets.possible(ticket, OFFICER)}
    moved(town.portal.tickets, ticket, "sign:reporter", NOW)
    assert "start" in {step.event for step in town.portal.tickets.possible(ticket, APPROVER)}


def test_columns_that_the_table_lacks_are_named(town: City) -> None:
    published(town)
    lacking = shipped().contract("divisions").fields[-1].name
    mounted(town, lacking)
    found = compare_catalogue(town.portal.lake, shipped(), town.portal.tickets, NOW)
    assert [fault.check for fault in found.faults] == ["schema"]
    assert lacking in found.faults[0].message


def test_a_delivery_that_is_late_is_told_with_its_day(town: City) -> None:
    published(town)
    mounted(town)
    delivered(town, "divisions")
    assert checks(town) == []
    assert checks(town, NOW + timedelta(days=800)) == ["fresh"]


def test_a_retired_entry_is_not_compared(town: City) -> None:
    published(town)
    published(town, status="retired")
    assert checks(town) == []


def test_coverage_counts_what_is_owed_published_and_there(town: City) -> None:
    def civil() -> tuple[object, ...]:
        rows = coverage(town.portal.lake, shipped(), town.portal.tickets, NOW)
        row = next(r for r in rows if r.provider == "civil_affairs")
        return row.published, row.delivered, row.delivered_share(), row.mounted_share(), row.punctual_share()

    assert civil() == (0, 0, 0.0, None, None)
    published(town)
    assert civil() == (1, 0, 0.0, 0.0, None)
    mounted(town)
    delivered(town, "divisions")
    assert civil() == (1, 1, 0.5, 1.0, 1.0), "it owes two datasets"


def claimed(provider: str, department: str, dataset: str = "divisions", **stated: object) -> Record:
    """A published entry, as another department would have it too."""
    entry = next(e for e in entries(shipped()) if e.id == dataset)
    content = Attributes.model_validate(STATED | stated).text()
    version = Published("T-1", "divisions", 1, content, NOW, "王五", {})
    return Record(replace(entry, provider=provider, department=department), (version,), None)


def test_two_departments_that_claim_the_same_items_are_both_told() -> None:
    both = [claimed("civil_affairs", "民政局"), claimed("bureau", "大数据局")]
    first, second = source_faults(both, shipped())
    assert (first.provider, second.provider) == ("civil_affairs", "bureau")
    assert "大数据局" in first.message and "民政局" in second.message
    assert shipped().contract("divisions").key()[0] not in first.message, "a key names the thing, it is no item"


def test_one_source_and_those_that_only_hold_a_copy_are_no_fault() -> None:
    copy = claimed("bureau", "大数据局", authoritative=False)
    assert list(source_faults([claimed("civil_affairs", "民政局"), copy], shipped())) == []


def test_one_name_for_keys_of_different_things_is_no_conflict() -> None:
    bills = [claimed("liaocheng_water", "供水", "water_bills"), claimed("liaocheng_gas", "供气", "gas_bills")]
    assert shipped().contract("water_bills").key() == shipped().contract("gas_bills").key()
    assert list(source_faults(bills, shipped())) == []


def test_a_key_identifies_what_it_refers_to_or_its_code_says() -> None:
    devices = shipped().contract("devices")
    field = devices.field("device_id")
    assert identifier(devices, field) == "devices.device_id"
    points = shipped().contract("facility_points")
    assert identifier(points, replace(field, reference="devices.device_id")) == "devices.device_id"
    assert identifier(points, replace(field, code="uscc")) == identifier(devices, replace(field, code="uscc")) == "uscc"
