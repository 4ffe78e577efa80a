"""Pages of lineage: tables and columns, and the deliveries behind a row of a product."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from jobs.errors import UserError
from jobs.reporting.pages import Cell, Link, Table, table
from jobs.serving.portal.authentication import AnyPortal, LoggedIn
from jobs.serving.portal.rendering import page
from jobs.serving.portal.services.lineage_service import LineageService, Origin

router = APIRouter(include_in_schema=False)
INFLUENCES = {
    "IDENTITY": "原样",
    "TRANSFORMATION": "换算",
    "AGGREGATION": "汇总",
    "CONDITIONAL": "条件",
    "WINDOW": "窗口",
    "FILTER": "筛选",
    "JOIN": "关联",
    "GROUP_BY": "分组",
    "SORT": "排序",
    "INPUT": "输入",
}
"""Subtypes of influences in Chinese."""
LONGEST_VALUE = 100


@router.get("/datasets/{dataset}/lineage")
def lineage(
    dataset: str,
    portal: AnyPortal,
    user: LoggedIn,
    request: Request,
    column: Annotated[str, Query(max_length=100)] = "",
) -> Response:
    """The lineage of a dataset or product, of one of its columns, and of one row of a product by its key."""
    service = LineageService(portal, user.actor)
    view = service.lineage(dataset, column)
    product = view.contract if view.contract.kind == "product" else None
    names = product.key() if product else ()
    asked = {name: request.query_params.get(f"key_{name}", "").strip()[:LONGEST_VALUE] for name in names}
    origins, message = None, ""
    if product is not None and asked and all(asked.values()):
        try:
            origins = origin_table(service.origins(product, asked))
        except UserError as error:
            message = str(error)
    parts = {"origins": origins, "asked": asked, "message": message, "influences": INFLUENCES}
    return page("lineage.html", portal, user, 200, it=view, **parts)


def origin_table(origins: list[Origin]) -> Table:
    """Deliveries and files behind a row of a product, a line each."""
    rows: list[tuple[Cell, ...]] = []
    for origin in origins:
        contract = origin.contract
        how = "、".join(origin.by) or "全部行"
        if origin.files is None:
            rows.append((contract.department, contract.title, "其他部门的批次", "", f"{origin.rows}", "", how))
            continue
        for file in origin.files:
            numbers = "、".join(map(str, file.first_rows)) + (" 等" if file.rows > len(file.first_rows) else "")
            delivery = Link(file.delivery, f"/deliveries/{file.delivery}")
            rows.append((contract.department, contract.title, delivery, file.file, f"{file.rows}", numbers, how))
    head = ("部门", "数据集", "批次", "文件", "行数", "行号", "按什么找到")
    return table("产品这一行所依据的数据；“按什么找到”为“全部行”的，主键不能缩小范围", head, rows, (4,))
