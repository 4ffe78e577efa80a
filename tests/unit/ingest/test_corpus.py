"""Every row of a generated file is read cell by cell, or left out with a reason; nothing else comes in."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, given, settings

from jobs.contracts import Contract, load
from jobs.contracts.names import MALFORMED, ROW
from jobs.ingest.reading import LocalFile, read
from tests.contract_texts import contract
from tests.corpus.files import NAMES, Sent, sent_files

FILES = 100


@cache
def promised(layout: str, width: int) -> Contract:
    """A contract of text fields with these headers."""
    fields = "\n".join(
        f"      - {{name: c{i}, logicalType: string, customProperties: [{{property: source, value: {{header: {name}}}}}]}}"
        for i, name in enumerate(NAMES[:width])
    )
    text = contract("corpus", fields, f"  - {{property: layout, value: {layout}}}\n")
    with TemporaryDirectory() as folder:
        for kind in ("schemas", "expectations"):
            (Path(folder) / kind / "sources" / "heat").mkdir(parents=True)
        (Path(folder) / "schemas" / "sources" / "heat" / "corpus.yaml").write_text(text, "utf-8")
        return load(Path(folder) / "schemas", Path(folder) / "expectations").contract("corpus")


def accounted(sent: Sent, folder: Path) -> None:
    """The file's rows come out as they went in, and each row that is no data is counted with its reason."""
    file = folder / sent.name
    file.write_bytes(sent.content)
    reading = read([LocalFile(sent.name, file)], promised(sent.layout, len(sent.header)), folder)
    rows = [row for batch in reading.batches for row in batch.to_pylist()]
    assert [row for row in rows if row[MALFORMED] is not None] == []
    names = [f"c{i}" for i in range(len(sent.header))]
    assert [tuple(row[name] for name in names) for row in rows] == list(sent.rows)
    assert len({row[ROW] for row in rows}) == len(rows)
    reported = {finding.kind: finding.detail.get("count", 0) for finding in reading.findings}
    assert {kind: reported.get(kind) for kind in sent.left_out} == sent.left_out
    assert {kind for kind in reported if kind.startswith("rows_")} == set(sent.left_out)


@settings(max_examples=FILES, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(sent=sent_files())
def test_what_goes_in_comes_out_or_is_left_out_with_a_reason(sent: Sent):
    with TemporaryDirectory() as folder:
        accounted(sent, Path(folder))


@pytest.mark.parametrize("width", [3, len(NAMES)])
def test_a_contract_of_the_corpus_has_all_its_fields(width: int):
    assert promised("{format: csv}", width).columns() == tuple(f"c{i}" for i in range(width))
