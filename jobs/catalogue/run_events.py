"""Runs of the lake as events of OpenLineage: a delivery becomes silver, a build becomes gold, with their column lineage."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from openlineage.client import OpenLineageClient
from openlineage.client.event_v2 import InputDataset, Job, OutputDataset, Run, RunEvent, RunState
from openlineage.client.facet_v2 import (
    DatasetFacet,
    column_lineage_dataset,
    data_quality_assertions_dataset,
    dataset_version_dataset,
    output_statistics_output_dataset,
    schema_dataset,
)
from openlineage.client.transport.file import FileConfig, FileTransport

from jobs.catalogue.lineage import Graph, Link, Node, columns, links_of, zone_of
from jobs.contracts import Contract
from jobs.lake.zones import Zone
from jobs.model.rule_result import RuleRow
from jobs.model.verdict import Verdict

PRODUCER = "urn:city-lake"
SEVERITIES = {"critical": "error", "warning": "warn", "info": "info"}


def events(graph: Graph, bucket: str, runs: Iterable[tuple[Verdict, Sequence[RuleRow]]]) -> list[RunEvent]:
    """One event for each run, of datasets that have a contract; the same run has the same id whenever it is exported."""
    return [_event(graph, bucket, verdict, rules) for verdict, rules in runs if verdict.dataset in graph.contracts]


def write(events: Iterable[RunEvent], file: Path) -> int:
    """How many events were written to the file, one JSON object a line, in place of what it had."""
    file.unlink(missing_ok=True)
    client = OpenLineageClient(transport=FileTransport(FileConfig(log_file_path=str(file), append=True)))
    number = 0
    for number, event in enumerate(events, 1):  # noqa: B007  counted
        client.emit(event)
    return number


def _event(graph: Graph, bucket: str, verdict: Verdict, rules: Sequence[RuleRow]) -> RunEvent:
    contract, namespace = graph.contracts[verdict.dataset], f"s3://{bucket}"
    target = Node(zone_of(contract), contract.id)
    step = "build" if contract.kind == "product" else "conform"
    inputs = dict.fromkeys(link.source.table() for link in links_of(contract))
    return RunEvent(
        eventType=RunState.COMPLETE,
        eventTime=verdict.judged_at.isoformat(),
        run=Run(runId=str(uuid5(NAMESPACE_URL, f"{PRODUCER}:{verdict.delivery}"))),
        job=Job(namespace=namespace, name=f"{step}.{contract.id}"),
        inputs=[_input(graph, node, namespace, target, rules) for node in inputs],
        outputs=[_output(graph, target, namespace, verdict)],
        producer=PRODUCER,
    )


def _input(graph: Graph, node: Node, namespace: str, target: Node, rules: Sequence[RuleRow]) -> InputDataset:
    """An input; the rules of a delivery are assertions about the delivered file."""
    facets = {"schema": _schema(graph.contracts[node.dataset], node.zone)}
    is_judged = node.zone is Zone.LANDING and node.dataset == target.dataset
    return InputDataset(
        namespace,
        _name(node),
        facets=facets,
        inputFacets={"dataQualityAssertions": _assertions(rules)} if is_judged else {},
    )


def _output(graph: Graph, node: Node, namespace: str, verdict: Verdict) -> OutputDataset:
    contract = graph.contracts[node.dataset]
    facets: dict[str, DatasetFacet] = {
        "schema": _schema(contract, node.zone),
        "columnLineage": _column_lineage(contract, namespace),
        "version": dataset_version_dataset.DatasetVersionDatasetFacet(datasetVersion=str(verdict.silver_version)),
    }
    statistics = output_statistics_output_dataset.OutputStatisticsOutputDatasetFacet(rowCount=verdict.good_rows)
    return OutputDataset(namespace, _name(node), facets=facets, outputFacets={"outputStatistics": statistics})


def _schema(contract: Contract, zone: Zone) -> DatasetFacet:
    """Columns with their types; those of a delivered file are text."""
    if zone is Zone.LANDING:
        fields = [schema_dataset.SchemaDatasetFacetFields(name=name, type="string") for name in columns(contract, zone)]
    else:
        fields = [
            schema_dataset.SchemaDatasetFacetFields(name=field.name, type=field.spark_type(), description=field.title)
            for field in contract.fields
        ]
    return schema_dataset.SchemaDatasetFacet(fields=fields)


def _column_lineage(contract: Contract, namespace: str) -> DatasetFacet:
    of_columns: dict[str, list[column_lineage_dataset.InputField]] = {}
    of_rows = []
    for link in links_of(contract):
        if link.target.column:
            of_columns.setdefault(link.target.column, []).append(_input_field(link, namespace))
        elif link.source.column:
            of_rows.append(_input_field(link, namespace))
    fields = {name: column_lineage_dataset.Fields(inputFields=inputs) for name, inputs in of_columns.items()}
    return column_lineage_dataset.ColumnLineageDatasetFacet(fields=fields, dataset=of_rows)


def _input_field(link: Link, namespace: str) -> column_lineage_dataset.InputField:
    transformation = column_lineage_dataset.Transformation(type=link.type, subtype=link.subtype)
    return column_lineage_dataset.InputField(namespace, _name(link.source), link.source.column, [transformation])


def _assertions(rules: Sequence[RuleRow]) -> data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet:
    """Results of rules; a rule over one field names its column."""
    return data_quality_assertions_dataset.DataQualityAssertionsDatasetFacet(
        assertions=[
            data_quality_assertions_dataset.Assertion(
                assertion=rule.type,
                success=rule.success,
                column=rule.fields if rule.fields and "," not in rule.fields else None,
                severity=SEVERITIES.get(rule.severity, rule.severity),
                name=rule.rule,
                actual=str(rule.unexpected_count),
            )
            for rule in rules
        ]
    )


def _name(node: Node) -> str:
    return f"{node.zone}/{node.dataset}"
