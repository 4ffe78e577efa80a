"""The catalogue in the terms of DCAT-AP 3.0, for other portals: Turtle, RDF/XML or JSON-LD."""

from collections.abc import Iterable
from typing import Literal as OneOf

from rdflib import DCAT, DCTERMS, FOAF, RDF, RDFS, Graph, Literal, URIRef

from jobs.catalogue.entry import Entry

Format = OneOf["turtle", "xml", "json-ld"]
FREQUENCIES = {
    "mi": "CONT", "h": "HOURLY", "d": "DAILY", "w": "WEEKLY", "mo": "MONTHLY", "y": "ANNUAL",
}  # fmt: skip
"""Unit of an update cycle of one: its name in the European authority table of frequencies."""
FREQUENCY = "http://publications.europa.eu/resource/authority/frequency/"
VERSION = URIRef(f"{DCAT}version")
LANGUAGE = "zh"


def graph(entries: Iterable[Entry], publisher: str, portal: str) -> Graph:
    """The catalogue as triples. `publisher`: name of the authority that keeps it; `portal`: address of the portal."""
    base = portal.rstrip("/")
    found = Graph()
    for prefix, space in (("dcat", DCAT), ("dct", DCTERMS), ("foaf", FOAF)):
        found.bind(prefix, space)
    catalogue, keeper = URIRef(f"{base}/datasets"), URIRef(f"{base}/departments/bureau#agent")
    _agent(found, keeper, publisher)
    found.add((catalogue, RDF.type, DCAT.Catalog))
    found.add((catalogue, DCTERMS.title, _words("公共数据目录")))
    found.add((catalogue, DCTERMS.description, _words(f"{publisher}的公共数据目录")))
    found.add((catalogue, DCTERMS.publisher, keeper))
    found.add((catalogue, FOAF.homepage, _of_type(found, f"{base}/", FOAF.Document)))
    for entry in entries:
        found.add((catalogue, DCAT.dataset, _dataset(found, entry, base)))
    return found


def text(found: Graph, as_format: Format) -> str:
    """The triples as a document."""
    return found.serialize(format=as_format)


def _dataset(found: Graph, entry: Entry, base: str) -> URIRef:
    address = f"{base}/datasets/{entry.id}"
    dataset, agent = URIRef(f"{address}#dataset"), URIRef(f"{base}/departments/{entry.provider}#agent")
    _agent(found, agent, entry.department)
    found.add((dataset, RDF.type, DCAT.Dataset))
    found.add((dataset, DCTERMS.identifier, Literal(entry.id)))
    found.add((dataset, DCTERMS.title, _words(entry.title)))
    found.add((dataset, DCTERMS.description, _words(entry.summary or entry.title)))
    found.add((dataset, DCTERMS.publisher, agent))
    found.add((dataset, VERSION, Literal(entry.version)))
    found.add((dataset, DCAT.landingPage, _of_type(found, address, FOAF.Document)))
    for keyword in entry.keywords:
        found.add((dataset, DCAT.keyword, _words(keyword)))
    frequency = _frequency(entry.update_cycle)
    if frequency:
        found.add((dataset, DCTERMS.accrualPeriodicity, _of_type(found, FREQUENCY + frequency, DCTERMS.Frequency)))
    _distribution(found, dataset, entry, address)
    return dataset


def _distribution(found: Graph, dataset: URIRef, entry: Entry, address: str) -> None:
    distribution = URIRef(f"{address}#table")
    found.add((dataset, DCAT.distribution, distribution))
    found.add((distribution, RDF.type, DCAT.Distribution))
    found.add((distribution, DCTERMS.title, _words(entry.title)))
    found.add((distribution, DCAT.accessURL, _of_type(found, address, RDFS.Resource)))
    found.add((distribution, DCTERMS.description, _words("、".join(item.title for item in entry.items))))


def _agent(found: Graph, agent: URIRef, name: str) -> None:
    found.add((agent, RDF.type, FOAF.Agent))
    found.set((agent, FOAF.name, _words(name)))


def _of_type(found: Graph, address: str, kind: URIRef) -> URIRef:
    """The node of an address, with the class that the profile asks its property to have."""
    node = URIRef(address)
    found.add((node, RDF.type, kind))
    return node


def _frequency(cycle: str) -> str:
    """The frequency's name; empty where the table has none for this cycle."""
    return FREQUENCIES.get(cycle.removeprefix("1"), "") if cycle.startswith("1") else ""


def _words(said: str) -> Literal:
    return Literal(said, lang=LANGUAGE)
