"""The lineage that product contracts declare is that of their transforms, as the engine plans them without running anything."""

from dataclasses import replace

import pytest
from pyspark.sql import SparkSession

from jobs.contracts import Registry, load
from jobs.contracts.transform import RowIndirect, Transform
from jobs.pipeline.plan_of_product import planned_lineage
from jobs.products.declared_lineage import differences, proposal
from jobs.settings import PROJECT

REGISTRY = load(PROJECT / "schemas", PROJECT / "expectations")


@pytest.mark.parametrize("product", [contract.id for contract in REGISTRY.products()])
def test_what_a_product_declares_is_what_its_transform_does(spark: SparkSession, product: str) -> None:
    assert differences(REGISTRY.contract(product), planned_lineage(spark, REGISTRY, product)) == []


def test_every_difference_is_named(spark: SparkSession) -> None:
    contract = REGISTRY.contract("hotline_day")
    fields = tuple(
        replace(field, transform=Transform(("hotline_orders.promised_at",), "AGGREGATION"))
        if field.name == "day"
        else field
        for field in contract.fields
    )
    changed = replace(contract, fields=fields, indirect=RowIndirect(filter=("hotline_orders.closed_at",)))
    registry = Registry({**REGISTRY.contracts, "hotline_day": changed}, REGISTRY.rules)
    assert differences(changed, planned_lineage(spark, registry, "hotline_day")) == [
        "hotline_day.day: transformSourceObjects: declared [hotline_orders.promised_at], the plan has [hotline_orders.dispatched_at]",
        "hotline_day.day: transformLogic: declared [AGGREGATION], the plan has [TRANSFORMATION]",
        "hotline_day: indirect.filter: declared [hotline_orders.closed_at], the plan has [divisions.code_valid_to]",
        "hotline_day: indirect.join: declared [], the plan has [divisions.division_code, hotline_orders.division_code]",
        "hotline_day: indirect.group_by: declared [], the plan has [divisions.division_code, hotline_orders.category_major,"
        " hotline_orders.dispatched_at, hotline_orders.division_code]",
    ]


def test_a_proposal_is_what_a_contract_can_take_over(spark: SparkSession) -> None:
    contract = REGISTRY.contract("hotline_day")
    lines = proposal(contract, planned_lineage(spark, REGISTRY, "hotline_day")).splitlines()
    assert lines[:3] == [
        "- name: day",
        "  transformLogic: TRANSFORMATION",
        "  transformSourceObjects: [hotline_orders.dispatched_at]",
    ]
    assert lines[-2] == "customProperties:"
    assert "  customProperties: [{property: indirect, value: {conditional: [hotline_orders.satisfaction]}}]" in lines
