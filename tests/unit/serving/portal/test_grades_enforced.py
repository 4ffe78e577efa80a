"""No way out shows a value above the reader's grade: a word in every field of every dataset, looked for by every role.

The grades of the fields are not those of the shipped contracts: all four are spread over all fields of text, keys too.
"""

import hashlib
import io
import json
import logging
import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import cycle
from pathlib import Path

import pyarrow as pa
import pytest

from jobs.access.grants import Scope
from jobs.access.policy import Mask
from jobs.access.rights import may_know
from jobs.access.roles import acts_for_department, reads_as_sent, roles_of_people, view_of
from jobs.contracts import Contract, Registry
from jobs.lake.results import Results
from jobs.lake.zones import Zone
from jobs.model.delivery import State
from jobs.model.ticket import Issue
from jobs.reporting import write_index, write_report
from jobs.serving.portal.context import PipelineWorkbooks
from jobs.serving.portal.services.samples import curated_rows, failing_rows
from jobs.serving.sql.export import download
from tests.unit.lake.local_lake import rule_rows, verdict
from tests.unit.serving.portal.portal_city import NOW, PEOPLE, PEOPLE_ACTORS, Browser, City, city, delivered, shipped

GRADES = ("L3", "L4", "L1", "L2", "L4", "L3")
PARTS = 12
"""Letters of a word that no mask shows: all masks but the ends'."""


def word(dataset: str, field: str) -> str:
    """A text of twenty letters that is nowhere else."""
    digest = hashlib.sha256(f"{dataset}.{field}".encode()).hexdigest()[:16]
    return "ZQ" + digest.translate(str.maketrans("0123456789", "GHJKLMNPQR")).upper() + "XY"


def core(dataset: str, field: str) -> str:
    """The part of the word that its masked forms do not have."""
    return word(dataset, field)[4 : 4 + PARTS]


def spread() -> Registry:
    """The shipped contracts with other grades."""
    grades = cycle(GRADES)
    contracts = {}
    for name, contract in shipped().contracts.items():
        fields = tuple(replace(f, classification=next(grades)) if f.type == "string" else f for f in contract.fields)
        contracts[name] = replace(contract, fields=fields)
    return Registry(contracts, shipped().rules)


REGISTRY = spread()


@dataclass(frozen=True)
class Planted:
    """A city with a delivery of every dataset, all of whose rules it breaks, and the tickets for them."""

    city: City
    deliveries: Mapping[str, str]
    tickets: Mapping[str, tuple[str, ...]]


@pytest.fixture(scope="module")
def planted(made_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Planted]:
    root = tmp_path_factory.mktemp("grades")
    shutil.copy(made_sqlite, root / "state.db")
    made = city(root, f"sqlite:///{root / 'state.db'}", REGISTRY)
    made = replace(made, portal=replace(made.portal, workbooks=PipelineWorkbooks()))
    logging.getLogger("jobs").setLevel(logging.DEBUG)
    deliveries = {}
    for number, contract in enumerate(REGISTRY.sources(), 1):
        deliveries[contract.id] = deliver(made, contract, number)
    for product in REGISTRY.products():
        put_rows(made, product, Zone.GOLD)
    for delivery in deliveries.values():
        write_report(made.portal.lake, REGISTRY, delivery, NOW)
    write_index(made.portal.lake, REGISTRY, NOW)
    yield Planted(made, deliveries, {name: open_tickets(made, name, id_) for name, id_ in deliveries.items()})
    made.portal.tickets.database.close()
    made.portal.lake.ledger.close()
    made.portal.lake.streams.close()


def put_rows(town: City, contract: Contract, zone: Zone) -> None:
    """A curated row with the words."""
    lake = town.portal.lake
    table = pa.table({f.name: [word(contract.id, f.name)] for f in contract.fields if f.type == "string"})
    lake.delta.put(lake.path(zone, contract.id), table)  # type: ignore[attr-defined]


def deliver(town: City, contract: Contract, number: int) -> str:
    """A delivery with verdict, results and evidence; silver, bronze and quarantine hold its row."""
    lake = town.portal.lake
    put_rows(town, contract, Zone.SILVER)
    id_ = delivered(town, contract.id, number)
    lake.ledger.move(id_, State.PARTLY_QUARANTINED)
    entry = lake.ledger.get(id_)
    rules = REGISTRY.rules[contract.id]
    judged = verdict(entry, failed_rows=1, judged_at=entry.received_at + timedelta(minutes=1))
    words = [word(contract.id, f.name) for f in contract.fields if f.type == "string"]
    results = [
        replace(row, gx=json.dumps({"partial_unexpected_list": words}))
        for row in rule_rows(judged, REGISTRY, {rule.id: 1 for rule in rules})
    ]
    Results(lake.delta, lake.settings.s3_bucket).write(judged, results)
    rows = []
    for rule in rules:
        named = [f for f in rule.fields if contract.field(f).type == "string"] or words[:0]
        rows.append(
            {
                "_delivery": id_,
                "_file": "甲.csv",
                "_row": 2,
                "key": json.dumps(
                    {n: word(contract.id, n) for n in contract.key() if contract.field(n).type == "string"}
                ),
                "rule": rule.id,
                "severity": rule.severity,
                "field": ",".join(named),
                "value": " | ".join(word(contract.id, name) for name in named) or None,
                "suggested": word(contract.id, named[0]) if len(named) == 1 else None,
            }
        )
    lake.put_evidence(contract.id, [row for row in rows if row["rule"] != "row_shape"])  # type: ignore[attr-defined]
    return id_


def open_tickets(town: City, dataset: str, delivery: str) -> tuple[str, ...]:
    contract = REGISTRY.contract(dataset)
    issues = [
        Issue(
            dataset, contract.provider, rule.id, "r1", ",".join(rule.fields), "format", rule.severity, rule.dimension,
            rule.message, rule.remedy, rule.basis, delivery, 1, 10,
        )
        for rule in sorted(REGISTRY.rules[dataset][1:], key=lambda rule: -len(graded(contract, rule.fields)))[:2]
    ]  # fmt: skip
    return tuple(town.portal.tickets.found(issues, NOW))


def graded(contract: Contract, names: Sequence[str]) -> list[str]:
    """Those of the fields that only their owner reads."""
    return [name for name in names if contract.field(name).classification in ("L3", "L4")]


def pages(planted: Planted, dataset: str) -> list[str]:
    """Every address at which something of a dataset may be read."""
    contract, delivery = REGISTRY.contract(dataset), planted.deliveries[dataset]
    reports = f"/reports/{contract.provider}/{dataset}/{delivery}"
    found = [f"/{kind}/{name}" for kind, name in (("datasets", dataset), ("deliveries", delivery))]
    found += [f"/api{path}" for path in found] + [f"/catalogue/{dataset}", f"/datasets/{dataset}/lineage"]
    found += [f"{reports}.{ending}" for ending in ("html", "xlsx", "json")]
    found += [
        f"/search?q={contract.title}",
        f"/departments/{contract.provider}",
        f"/api/departments/{contract.provider}",
    ]
    for ticket in planted.tickets[dataset]:
        found += [
            f"/tickets/{ticket}",
            f"/api/tickets/{ticket}",
            f"/api/tickets/{ticket}/events",
            f"/tickets/{ticket}/workbook",
        ]
    return found


def text_of(data: bytes) -> str:
    if not data.startswith(b"PK"):
        return data.decode("utf-8", "replace")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return "\n".join(archive.read(name).decode("utf-8", "replace") for name in archive.namelist())


def readable(name: str, contract: Contract) -> frozenset[str]:
    """Grades that a person reads as they are in a dataset."""
    view = view_of(PEOPLE_ACTORS[name], contract.provider)
    return frozenset(grade for grade, mask in view.items() if mask in (Mask.AS_SENT, Mask.NUMBERS))


def shown(text: str, contract: Contract) -> dict[str, str]:
    """Fields whose words a text shows, with their grades."""
    return {
        f.name: f.classification for f in contract.fields if f.type == "string" and core(contract.id, f.name) in text
    }


def above(texts: Mapping[str, str], contract: Contract, grades: frozenset[str]) -> dict[str, list[str]]:
    """Addresses that show fields of other grades."""
    found = {
        path: [n for n, grade in shown(text, contract).items() if grade not in grades] for path, text in texts.items()
    }
    return {path: names for path, names in found.items() if names}


def share_of(name: str) -> tuple[Contract, ...]:
    """A quarter of the datasets, so that two persons or more walk through each; what all others see is tested below."""
    sources = REGISTRY.sources()
    return sources[list(PEOPLE).index(name) % 4 :: 4]


def test_people_of_these_tests_have_every_role() -> None:
    assert {one.role for one in PEOPLE.values()} == set(roles_of_people())


@pytest.mark.parametrize("name", PEOPLE)
def test_nobody_is_shown_a_value_above_the_grade_that_they_may_read(
    planted: Planted, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    browser, found, ways = Browser(planted.city.portal, name), {}, set[str]()
    with caplog.at_level(logging.DEBUG):
        for contract in share_of(name):
            answers = {path: browser.get(path) for path in pages(planted, contract.id)}
            texts = {path: text_of(answer.content) for path, answer in answers.items() if answer.status_code == 200}
            found |= above(texts, contract, readable(name, contract))
            ways |= {re.sub(r"/[A-Z]?-?[\w.-]*\d[\w.-]*", "/…", path).replace(contract.id, "D") for path in texts}
    assert found == {}
    assert len(ways) >= (3 if acts_for_department(PEOPLE_ACTORS[name]) else 8)
    heard = "\n".join(record.getMessage() for record in caplog.records)
    assert [c.id for c in REGISTRY.sources() if above({"log": heard}, c, frozenset({"L1", "L2"}))] == []


@pytest.mark.parametrize("name", ["clerk", "asker", "stranger"])
def test_the_owner_reads_every_word_so_that_it_was_there_to_be_found(planted: Planted, name: str) -> None:
    browser = Browser(planted.city.portal, name)
    for contract in REGISTRY.sources():
        if contract.provider != PEOPLE[name].department:
            continue
        texts = {path: text_of(browser.get(path).content) for path in pages(planted, contract.id)}
        every = {f.name for f in contract.fields if f.type == "string"}
        assert set(shown(texts[f"/datasets/{contract.id}"], contract)) == every
        of_tickets = {
            field for path, text in texts.items() if path.startswith("/tickets/") for field in shown(text, contract)
        }
        assert bool(graded(contract, [*of_tickets])) == bool(graded(contract, [*every]))


@pytest.mark.parametrize("name", PEOPLE)
def test_samples_of_every_dataset_and_rule_are_masked_for_each_reader(planted: Planted, name: str) -> None:
    lake, number = planted.city.portal.lake, 0
    for contract in REGISTRY.sources():
        actor, grades = PEOPLE_ACTORS[name], readable(name, contract)
        in_full = reads_as_sent(actor, contract.provider)
        rules, deliveries = REGISTRY.rules[contract.id][1::5], [planted.deliveries[contract.id]]
        samples = [failing_rows(lake, contract, rule.id, deliveries, in_full) for rule in rules]
        samples.append(curated_rows(lake, contract, view_of(actor, contract.provider)))
        texts = {f"{contract.id} {n}": repr(sample) for n, sample in enumerate(samples)}
        assert above(texts, contract, grades) == {}
        number += sum(bool(shown(text, contract)) for text in texts.values())
    assert number > 60


def sql_answers(planted: Planted, name: str) -> dict[str, str]:
    """Every row of every table that a person may query, by table, as the service answers and as it exports."""
    service, actor, texts = planted.city.portal.sql_service, PEOPLE_ACTORS[name], {}
    for table in service.tables(actor):
        answer = service.ask(actor, f"FROM {table.name}", "test")
        export = download(service, actor, answer, "csv").decode()
        texts[str(table.name)] = f"{answer.table.to_pylist()}\n{answer.table.schema}\n{answer.comments}\n{export}"
    return texts


@pytest.mark.parametrize("name", PEOPLE)
def test_no_row_of_silver_gold_and_results_shows_a_word_above_the_grade_by_sql(planted: Planted, name: str) -> None:
    texts, number = sql_answers(planted, name), 0
    for contract in REGISTRY.contracts.values():
        assert above(texts, contract, readable(name, contract)) == {}
        number += sum(bool(shown(text, contract)) for text in texts.values())
    gold = {f"gold.{product.id}" for product in REGISTRY.products()}
    assert gold <= set(texts) and number > 5
    silver = {table.partition(".")[2] for table in texts if table.startswith("silver.")}
    own = {c.id for c in REGISTRY.sources() if may_know(PEOPLE_ACTORS[name], c.provider)}
    assert silver == own


def test_pages_of_products_show_no_word_of_their_rows(planted: Planted) -> None:
    for name in ("stranger", "analyst"):
        browser = Browser(planted.city.portal, name)
        for product in REGISTRY.products():
            paths = (f"/catalogue/{product.id}", f"/datasets/{product.id}/lineage")
            texts = {path: text_of(browser.get(path).content) for path in paths}
            assert above(texts, product, readable(name, product)) == {}


def test_a_grant_opens_samples_and_sql_until_it_expires_and_never_a_pack_or_a_delivery(
    planted: Planted,
) -> None:
    contract = next(c for c in REGISTRY.sources() if c.provider == "civil_affairs")
    portal, actor = planted.city.portal, PEOPLE_ACTORS["stranger"]
    until = NOW + timedelta(days=1)
    scope = Scope(contract.id, actor.department, "granted", purpose="联合核查", expires_at=until)
    portal.grants.add(scope, PEOPLE_ACTORS["own"], NOW)
    granted = {f.name for f in contract.fields if f.type == "string" and f.classification != "L4"}
    sample = f"/datasets/{contract.id}"
    for at, opened in ((NOW, granted), (until, set())):
        later = replace(portal, now=lambda at=at: at)  # type: ignore[misc]
        browser = Browser(later, "stranger")
        texts = {path: text_of(browser.get(path).content) for path in pages(planted, contract.id)}
        assert {path: set(shown(text, contract)) for path, text in texts.items() if shown(text, contract)} == (
            {sample: opened} if opened else {}
        )
        assert ("依授权 1，用途：联合核查，有效至" in texts[sample]) is bool(opened)
        later.sql_service.close()
    texts = sql_answers(planted, "stranger")
    assert set(shown(texts[f"silver.{contract.id}"], contract)) == granted
    assert f"quarantine.{contract.id}" not in texts
    shown_rows = [row.access for row in portal.access.rows(1, 500)[0] if row.access.dataset == contract.id]
    by_grant = {access.action for access in shown_rows if "用途：联合核查" in access.reason}
    assert by_grant == {"sample", "sql", "download"}


def test_no_report_shows_a_word_above_the_grade_of_outsiders(planted: Planted) -> None:
    """A report is one file for all who may open it."""
    for contract in REGISTRY.sources():
        texts = {
            key: text_of(data)
            for key, data in planted.city.store.objects.items()
            if key.startswith(f"reports/{contract.provider}/{contract.id}/") or key.count("/") == 1
        }
        assert len(texts) >= 3
        assert above(texts, contract, frozenset({"L1", "L2"})) == {}
