"""Runs as events of OpenLineage, read back and checked with the package's own models."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import column_lineage_dataset, data_quality_assertions_dataset, schema_dataset
from openlineage.client.serde import Serde

from jobs.catalogue.lineage import Graph
from jobs.catalogue.run_events import PRODUCER, events, write
from jobs.contracts import load
from jobs.model.delivery import State
from jobs.model.rule_result import RuleRow
from jobs.model.verdict import Verdict
from jobs.settings import PROJECT

GRAPH = Graph(load(PROJECT / "schemas", PROJECT / "expectations"))
AT = datetime(2026, 1, 12, 3, tzinfo=UTC)
ACCEPTED = Verdict("d1", 1, "hotline_orders", "hotline_12345", State.ACCEPTED, 9, 8, 1, 0, 0, (), "h", "1.0.0", 4, AT)
RULE = RuleRow(
    "d1", 0, "hotline_orders", "hotline_12345", "order_no_required", "expect_column_values_to_not_be_null", "critical",
    "完整性", "0201", False, 9, 1, 0, "order_no", "缺办件编号", "请补报", "契约", "h", 4, AT,
)  # fmt: skip
OVER_TWO = replace(
    RULE, rule="in_time", type="expect_column_pair_values", severity="warning", success=True, fields="a,b"
)


def written(tmp_path: Path, *verdicts: Verdict) -> list[dict[str, Any]]:
    file = tmp_path / "events.jsonl"
    found = events(GRAPH, "lake", [(verdict, [RULE, OVER_TWO]) for verdict in verdicts])
    assert write(found, file) == len(found)
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def read(event: dict[str, Any]) -> RunEvent:
    """The event made again with the classes of the package, which check their values."""

    def facet(kind: Any, values: dict[str, Any], **parts: Any) -> Any:
        return kind(producer=values["_producer"], **{**parts})

    datasets: dict[str, list[Any]] = {"inputs": [], "outputs": []}
    for kind, model in (("inputs", InputDataset), ("outputs", OutputDataset)):
        for one in event[kind]:
            columns = [schema_dataset.SchemaDatasetFacetFields(**f) for f in one["facets"]["schema"]["fields"]]
            facets: dict[str, Any] = {
                "schema": facet(schema_dataset.SchemaDatasetFacet, one["facets"]["schema"], fields=columns)
            }
            if "columnLineage" in one["facets"]:
                facets["columnLineage"] = _lineage(one["facets"]["columnLineage"], facet)
            datasets[kind].append(model(one["namespace"], one["name"], facets=facets))
    assertions = [
        data_quality_assertions_dataset.Assertion(**a)
        for one in event["inputs"]
        for a in one["inputFacets"].get("dataQualityAssertions", {}).get("assertions", [])
    ]
    assert all(isinstance(a, data_quality_assertions_dataset.Assertion) for a in assertions)
    run, job = Run(event["run"]["runId"]), Job(event["job"]["namespace"], event["job"]["name"])
    return RunEvent(
        eventType=RunState(event["eventType"]),
        eventTime=event["eventTime"],
        run=run,
        job=job,
        producer=event["producer"],
        **datasets,
    )


def _lineage(values: dict[str, Any], facet: Any) -> Any:
    def inputs(fields: list[dict[str, Any]]) -> list[Any]:
        return [
            column_lineage_dataset.InputField(
                f["namespace"], f["name"], f["field"],
                [column_lineage_dataset.Transformation(**t) for t in f["transformations"]],
            )
            for f in fields
        ]  # fmt: skip

    fields = {name: column_lineage_dataset.Fields(inputs(of["inputFields"])) for name, of in values["fields"].items()}
    return facet(
        column_lineage_dataset.ColumnLineageDatasetFacet, values, fields=fields, dataset=inputs(values["dataset"])
    )


def test_a_delivery_becomes_silver_with_its_rules_as_assertions(tmp_path: Path) -> None:
    (event,) = written(tmp_path, ACCEPTED)
    assert (event["job"]["name"], event["eventType"], event["eventTime"]) == (
        "conform.hotline_orders",
        "COMPLETE",
        "2026-01-12T03:00:00+00:00",
    )
    (delivered,) = event["inputs"]
    assert (delivered["namespace"], delivered["name"]) == ("s3://lake", "landing/hotline_orders")
    facet = delivered["inputFacets"]["dataQualityAssertions"]
    assert [(a["name"], a["success"], a.get("column"), a["severity"], a["actual"]) for a in facet["assertions"]] == [
        ("order_no_required", False, "order_no", "error", "1"),
        ("in_time", True, None, "warn", "1"),
    ]
    (silver,) = event["outputs"]
    assert silver["name"] == "silver/hotline_orders"
    assert silver["outputFacets"]["outputStatistics"]["rowCount"] == 8
    assert silver["facets"]["version"]["datasetVersion"] == "4"
    assert silver["facets"]["columnLineage"]["fields"]["closed_at"]["inputFields"] == [
        {
            "namespace": "s3://lake",
            "name": "landing/hotline_orders",
            "field": "closedAt",
            "transformations": [{"type": "DIRECT", "subtype": "TRANSFORMATION"}],
        }
    ]


def test_a_build_has_direct_and_indirect_influences(tmp_path: Path) -> None:
    (event,) = written(tmp_path, replace(ACCEPTED, delivery="b1", dataset="hotline_day"))
    assert event["job"]["name"] == "build.hotline_day"
    assert [one["name"] for one in event["inputs"]] == ["silver/hotline_orders", "silver/divisions"]
    assert [one["inputFacets"] for one in event["inputs"]] == [{}, {}]
    facet = event["outputs"][0]["facets"]["columnLineage"]
    found = {
        name: {
            (f["field"], f["transformations"][0]["type"], f["transformations"][0]["subtype"]) for f in of["inputFields"]
        }
        for name, of in facet["fields"].items()
    }
    assert found["mean_handling_h"] == {
        ("closed_at", "DIRECT", "AGGREGATION"),
        ("dispatched_at", "DIRECT", "AGGREGATION"),
        ("order_status", "INDIRECT", "CONDITIONAL"),
    }
    assert {t["subtype"] for f in facet["dataset"] for t in f["transformations"]} == {"FILTER", "JOIN", "GROUP_BY"}


@pytest.mark.parametrize("dataset", [*GRAPH.contracts])
def test_events_of_all_datasets_are_what_the_models_of_the_package_write(tmp_path: Path, dataset: str) -> None:
    (event,) = written(tmp_path, replace(ACCEPTED, dataset=dataset))
    again = json.loads(Serde.to_json(read(event)))
    for kind in ("inputs", "outputs"):
        for one, other in zip(again[kind], event[kind], strict=True):
            shared = ("schema", "columnLineage")
            assert {k: v for k, v in one["facets"].items() if k in shared} == {
                k: v for k, v in other["facets"].items() if k in shared
            }
    assert (again["run"]["runId"], again["producer"]) == (event["run"]["runId"], PRODUCER)


def test_the_same_run_has_the_same_id_and_a_dataset_without_contract_no_event(tmp_path: Path) -> None:
    first, again = written(tmp_path, ACCEPTED)[0], written(tmp_path, ACCEPTED, replace(ACCEPTED, delivery="d2"))
    assert [event["run"]["runId"] == first["run"]["runId"] for event in again] == [True, False]
    assert events(GRAPH, "lake", [(replace(ACCEPTED, dataset="gone"), [])]) == []
