"""Layout of the sheet in which a department corrects its rows, shared by the workbook's writer and reader."""

from dataclasses import replace

from jobs.contracts.layout import Layout
from jobs.contracts.model import Contract

ABOUT, DATA, PROBLEMS = "说明", "整改数据", "问题清单"
NUMBER, KEY, WAY, WORDS = "问题编号", "业务主键", "整改方式（回填）", "整改说明（回填）"
"""Columns of the list of problems: number, record key, action taken, explanation."""

WAYS = ("已更正", "源系统中已删除", "数据无误（请说明依据）", "暂不能更正（请说明原因）")
TICKET = "工单号"
"""Label on the first sheet; the next cell holds the ticket's id."""
LAYOUT = Layout(format="excel", sheet=DATA, skip_rows=1, header_rows=1, missing_columns="ignore")


def correction(contract: Contract) -> Contract:
    """The contract with the layout of the sheet: a row of titles, a row of field names, then rows as they were sent.

    The words for missing values stay those of the contract.
    """
    declared = contract.layout
    inherited = {"missing": declared.missing, "timezone": declared.timezone, "extra_columns": declared.extra_columns}
    layout = LAYOUT.model_copy(update=inherited)
    fields = tuple(
        field
        if field.is_computed()
        else replace(field, source=field.source.model_copy(update={"header": (field.name,), "position": None}))
        for field in contract.fields
    )
    return replace(contract, layout=layout, fields=fields)


__all__ = ["ABOUT", "DATA", "KEY", "LAYOUT", "NUMBER", "PROBLEMS", "TICKET", "WAY", "WAYS", "WORDS", "correction"]
