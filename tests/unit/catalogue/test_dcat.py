"""The exported catalogue conforms to the shapes of DCAT-AP, and says what the contracts say."""

from dataclasses import replace
from pathlib import Path

import pytest
from pyshacl import validate
from rdflib import DCAT, DCTERMS, FOAF, RDF, RDFS, Graph, Literal, URIRef

from jobs.catalogue import Entry, entries
from jobs.catalogue.dcat import FREQUENCY, Format, graph, text
from jobs.contracts import load
from jobs.settings import PROJECT

SHAPES = Path(__file__).with_name("dcat_ap.ttl")
PORTAL = "https://data.example"


@pytest.fixture(scope="module")
def shipped() -> tuple[Entry, ...]:
    return entries(load(PROJECT / "schemas", PROJECT / "expectations"))


def conforms(found: Graph) -> bool:
    return bool(validate(found, shacl_graph=Graph().parse(SHAPES))[0])


@pytest.mark.parametrize("form", ["turtle", "xml", "json-ld"])
def test_the_shipped_catalogue_conforms_in_every_form(shipped: tuple[Entry, ...], form: Format) -> None:
    read = Graph().parse(data=text(graph(shipped, "某市大数据局", PORTAL), form), format=form)
    assert conforms(read)
    assert len(set(read.subjects(RDF.type, DCAT.Dataset))) == len(shipped)


def test_the_shapes_notice_what_is_missing(shipped: tuple[Entry, ...]) -> None:
    for missing in (DCTERMS.title, DCTERMS.publisher, DCAT.accessURL):
        found = graph(shipped, "某市大数据局", PORTAL)
        found.remove((None, missing, None))
        assert not conforms(found)


@pytest.mark.parametrize("kind", [FOAF.Document, DCTERMS.Frequency, RDFS.Resource])
def test_pages_and_frequencies_have_the_class_that_the_profile_asks_for(
    shipped: tuple[Entry, ...], kind: URIRef
) -> None:
    found = graph(shipped, "某市大数据局", PORTAL)
    found.remove((None, RDF.type, kind))
    assert not conforms(found)


def test_what_an_entry_becomes(shipped: tuple[Entry, ...]) -> None:
    (entry,) = [one for one in shipped if one.id == "water_plant_minutes"]
    found = graph([entry], "某市大数据局", f"{PORTAL}/")
    dataset = URIRef(f"{PORTAL}/datasets/water_plant_minutes#dataset")
    assert found.value(dataset, DCTERMS.title) == Literal(entry.title, lang="zh")
    assert found.value(dataset, DCTERMS.accrualPeriodicity) == URIRef(f"{FREQUENCY}DAILY")
    assert {str(word) for word in found.objects(dataset, DCAT.keyword)} == set(entry.keywords)


@pytest.mark.parametrize("cycle", ["", "2d", "1wd", "12h"])
def test_a_cycle_that_the_table_does_not_have_is_left_out(shipped: tuple[Entry, ...], cycle: str) -> None:
    found = graph([replace(shipped[0], update_cycle=cycle)], "某市大数据局", PORTAL)
    assert not list(found.objects(None, DCTERMS.accrualPeriodicity))
