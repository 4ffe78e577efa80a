"""Lineage of the shipped contracts: columns and tables, up and down."""

import pytest

from jobs.catalogue.lineage import Graph, Node, columns
from jobs.contracts import load
from jobs.lake.zones import Zone
from jobs.settings import PROJECT

REGISTRY = load(PROJECT / "schemas", PROJECT / "expectations")
GRAPH = Graph(REGISTRY)


def node(text: str) -> Node:
    found = GRAPH.node(text)
    assert found is not None
    return found


def test_a_figure_comes_from_the_columns_of_the_delivered_file() -> None:
    links = GRAPH.upstream(node("hotline_day.on_time_share_pct"))
    assert [(str(link.source), str(link.target), link.type, link.subtype) for link in links] == [
        ("silver.hotline_orders.closed_at", "gold.hotline_day.on_time_share_pct", "INDIRECT", "CONDITIONAL"),
        ("silver.hotline_orders.order_status", "gold.hotline_day.on_time_share_pct", "INDIRECT", "CONDITIONAL"),
        ("silver.hotline_orders.promised_at", "gold.hotline_day.on_time_share_pct", "INDIRECT", "CONDITIONAL"),
        ("landing.hotline_orders.closedAt", "silver.hotline_orders.closed_at", "DIRECT", "TRANSFORMATION"),
        ("landing.hotline_orders.status", "silver.hotline_orders.order_status", "DIRECT", "TRANSFORMATION"),
        ("landing.hotline_orders.promisedAt", "silver.hotline_orders.promised_at", "DIRECT", "TRANSFORMATION"),
    ]


def test_what_a_column_goes_into_is_found_down_to_the_products_and_their_rows() -> None:
    links = GRAPH.downstream(Node(Zone.LANDING, "hotline_orders", "category.major"))
    assert [(str(link.target), link.type, link.subtype) for link in links] == [
        ("silver.hotline_orders.category_major", "DIRECT", "IDENTITY"),
        ("gold.hotline_day.category_major", "DIRECT", "IDENTITY"),
        ("gold.hotline_day", "INDIRECT", "GROUP_BY"),
    ]


def test_tables_before_and_after() -> None:
    assert [str(table) for table in GRAPH.tables_before(node("enterprise_master"))][:2] == [
        "silver.enterprise_registration",
        "silver.divisions",
    ]
    assert {str(table) for table in GRAPH.tables_before(node("hotline_day"))} == {
        "silver.hotline_orders",
        "silver.divisions",
        "landing.hotline_orders",
        "landing.divisions",
    }
    assert [str(table) for table in GRAPH.tables_after(node("hotline_orders"))] == ["gold.hotline_day"]
    assert [str(table) for table in GRAPH.tables_after(node("landing.hotline_orders"))] == [
        "silver.hotline_orders",
        "gold.hotline_day",
    ]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("hotline_orders", "silver.hotline_orders"),
        ("hotline_day", "gold.hotline_day"),
        ("gold.hotline_day.day", "gold.hotline_day.day"),
        ("landing.hotline_orders.title", "landing.hotline_orders.title"),
        ("hotline_day.nothing", "None"),
        ("nothing", "None"),
        ("silver.hotline_day.day", "None"),
        ("", "None"),
    ],
)
def test_names_of_nodes(text: str, found: str) -> None:
    assert str(GRAPH.node(text)) == found


def test_every_column_of_every_dataset_but_constants_and_counts_has_a_source() -> None:
    """What has none says in its contract what it is."""
    without = {
        f"{contract.id}.{field.name}"
        for contract in (*REGISTRY.sources(), *REGISTRY.products())
        for field in contract.fields
        if not GRAPH.into(node(f"{contract.id}.{field.name}"))
    }
    described = {f"{c.id}.{f.name}" for c in REGISTRY.products() for f in c.fields if f.transform.description}
    assert without == described
    assert without == {
        "enterprise_master.penalty_count",
        "enterprise_master.permit_count",
        "hotline_day.order_count",
        "supply_sales_month.utility_kind",
        "telemetry_summary.dataset_id",
        "telemetry_summary.field_name",
        "telemetry_summary.period_s",
        "telemetry_summary.place_level",
        "telemetry_summary.readings_received",
    }


def test_links_are_between_columns_that_exist() -> None:
    known = {
        Node(zone, contract.id, name)
        for contract in GRAPH.contracts.values()
        for zone in (Zone.LANDING, Zone.SILVER, Zone.GOLD)
        for name in columns(contract, zone)
    }
    ends = {end for link in GRAPH.links for end in (link.source, link.target) if end.column}
    assert ends <= known
