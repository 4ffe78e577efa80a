"""The sheet in which a department mends its rows: what the workbook of a ticket writes, and what reading it back expects."""

from dataclasses import replace

from jobs.contracts.layout import Layout
from jobs.contracts.model import Contract

ABOUT, DATA, PROBLEMS = "说明", "整改数据", "问题清单"
NUMBER, KEY, WAY, WORDS = "问题编号", "业务主键", "整改方式（回填）", "整改说明（回填）"
"""Columns of the list of problems: which problem, of which record, what was done about it, and why."""

WAYS = ("已更正", "源系统中已删除", "数据无误（请说明依据）", "暂不能更正（请说明原因）")
TICKET = "工单号"
"""Label on the first sheet, beside which the ticket's id stands."""
LAYOUT = Layout(format="excel", sheet=DATA, skip_rows=1, header_rows=1, missing_columns="ignore")


def correction(contract: Contract) -> Contract:
    """The contract as the sheet carries it: a row of titles, then names of fields, then rows as they were sent.

    What words mean no value stays as the contract has it.
    """
    own = contract.layout
    same = {"missing": own.missing, "timezone": own.timezone, "extra_columns": own.extra_columns}
    layout = LAYOUT.model_copy(update=same)
    fields = tuple(
        f if f.is_computed() else replace(f, source=f.source.model_copy(update={"header": (f.name,), "position": None}))
        for f in contract.fields
    )
    return replace(contract, layout=layout, fields=fields)


__all__ = ["ABOUT", "DATA", "KEY", "LAYOUT", "NUMBER", "PROBLEMS", "TICKET", "WAY", "WAYS", "WORDS", "correction"]
