"""Tables of a lineage → a drawing: delivered files left, silver in the middle, products right."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from jobs.catalogue.lineage import Graph, Node
from jobs.lake.zones import Zone

ZONES = (Zone.LANDING, Zone.SILVER, Zone.GOLD)
HEADS = {Zone.LANDING: "报送文件", Zone.SILVER: "标准层", Zone.GOLD: "产品"}
BOX_WIDTH, BOX_HEIGHT, GAP_X, GAP_Y, TOP, MARGIN = 208.0, 44.0, 64.0, 12.0, 28.0, 4.0


@dataclass(frozen=True)
class Box:
    """A table in the drawing."""

    node: Node
    x: float
    y: float
    is_chosen: bool


@dataclass(frozen=True)
class Line:
    """From the right side of a box to the left side of another."""

    x1: float
    y1: float
    x2: float
    y2: float


@dataclass(frozen=True)
class Drawing:
    """The drawing, in units of its own."""

    width: float
    height: float
    heads: tuple[tuple[float, str], ...]
    boxes: tuple[Box, ...]
    lines: tuple[Line, ...]


def drawing(graph: Graph, table: Node) -> Drawing:
    """The table with all that it is made from and all that is made from it."""
    shown = _by_zone([table, *graph.tables_before(table), *graph.tables_after(table)])
    boxes = {node: box for number, (_, nodes) in enumerate(shown) for node, box in _column(number, nodes, table)}
    height = TOP + max(len(nodes) for _, nodes in shown) * (BOX_HEIGHT + GAP_Y)
    width = len(shown) * (BOX_WIDTH + GAP_X) - GAP_X + 2 * MARGIN
    heads = tuple((_left(number), HEADS[zone]) for number, (zone, _) in enumerate(shown))
    return Drawing(width, height, heads, tuple(boxes.values()), tuple(_lines(graph, boxes)))


def _by_zone(nodes: Sequence[Node]) -> list[tuple[Zone, list[Node]]]:
    """The tables of each zone that has any, in the order of the zones."""
    columns = [(zone, sorted(node for node in nodes if node.zone is zone)) for zone in ZONES]
    return [(zone, of_zone) for zone, of_zone in columns if of_zone]


def _lines(graph: Graph, boxes: Mapping[Node, Box]) -> Iterator[Line]:
    for source, target in graph.tables:
        if source in boxes and target in boxes:
            yield _line(boxes[source], boxes[target])


def _column(number: int, nodes: Sequence[Node], chosen: Node) -> list[tuple[Node, Box]]:
    return [
        (node, Box(node, _left(number), TOP + place * (BOX_HEIGHT + GAP_Y), node == chosen))
        for place, node in enumerate(nodes)
    ]


def _left(number: int) -> float:
    return MARGIN + number * (BOX_WIDTH + GAP_X)


def _line(source: Box, target: Box) -> Line:
    middle = BOX_HEIGHT / 2
    return Line(source.x + BOX_WIDTH, source.y + middle, target.x, target.y + middle)
