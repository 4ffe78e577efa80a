"""A bulletin's document → its parts in the order of an official document (GB/T 9704-2012); reproducible."""

from collections.abc import Iterator

from jobs.reporting.bulletin.annex import TITLES, annexes
from jobs.reporting.bulletin.body import body
from jobs.reporting.bulletin.parts import Block, Grid, Line
from jobs.reporting.bulletin.terms import Terms
from jobs.reporting.bulletin.values import chinese_date, moment
from jobs.reporting.delivery.recompute import Document


def blocks(document: Document) -> tuple[Block, ...]:
    """All parts of the bulletin: head, text, annexes, imprint."""
    terms = Terms.model_validate(document["basis"]["terms"])
    return (
        *_head(document, terms),
        *body(document, terms),
        *_foot(document),
        *annexes(document, terms),
        _imprint(document),
    )


def text(parts: tuple[Block, ...]) -> str:
    """The text of the parts, a line each."""
    lines = []
    for block in parts:
        if isinstance(block, Line):
            lines.append(block.text)
        elif isinstance(block, Grid):
            lines += ["\t".join(row) for row in (block.head, *block.rows)]
    return "\n".join(lines)


def title(document: Document) -> str:
    """关于…的通报, with the revision after the first."""
    revision = f"（第{document['revision']}版）" if document["revision"] > 1 else ""
    return f"关于{document['period']['title']}公共数据质量治理情况的通报{revision}"


def document_number(document: Document, terms: Terms) -> str:
    """发文字号: word, year of the period's end, serial number."""
    return f"{terms.document_word}〔{document['issued_on'][:4]}〕{document['number']}号"


def _head(document: Document, terms: Terms) -> Iterator[Block]:
    cut_off = moment(document["cut_off"], document["timezone"])
    if document["is_draft"]:
        yield Line("notice", f"草稿，未经审定，不得引用（数据截至{cut_off}）")
    yield Line("masthead", document["bureau"])
    yield Line("number", document_number(document, terms))
    yield Line("title", f"{document['bureau']}{title(document)}")
    yield Line("salute", f"{terms.addressees}：")
    if document["revision"] > 1:
        yield Line("para", f"本通报为第{document['revision']}版，以本版为准。修改原因：{document['reason']}。")
    yield Line(
        "para",
        f"依据{terms.basis}，现将{document['period']['title']}全市公共数据汇聚、质量和整改情况通报如下。数据截至{cut_off}，"
        "各项指标的计算公式见附件3。",
    )


def _foot(document: Document) -> Iterator[Block]:
    for place, name in enumerate(TITLES, 1):
        yield Line("attachment", f"{'附件：' if place == 1 else '　　　'}{place}．{name}")
    yield Line("signature", document["bureau"])
    yield Line("signature", chinese_date(document["issued_on"]))


def _imprint(document: Document) -> Line:
    return Line("imprint", f"{document['bureau']}\t{chinese_date(document['issued_on'])}印发")
