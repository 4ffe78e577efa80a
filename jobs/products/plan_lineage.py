"""Lineage of a product's columns, read from the analysed plan of its transform; nothing runs.

The plan is text, as `explain` prints it: the one form in which Spark Connect gives it. Each input is named by a subquery
alias, and each attribute has an id, so that a column is followed through projections, aggregates, joins and unions.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from jobs.errors import UserError
from jobs.products.plan_expressions import NOTHING, Influence, Logic, influence, merged, split

ANALYSED = re.compile(r"== Analyzed Logical Plan ==\n[^\n]*\n(.*?)\n\n== ", re.S)
LINE = re.compile(r"^((?:[ :] {2})*(?:[:+]- )?)(\w+) ?(.*)$")
ALIAS = re.compile(r"^(.*) AS (\w+#\d+)L?$", re.S)
ATTRIBUTE = re.compile(r"^(\w+#\d+)L?$")
LEAVES = ("LocalRelation", "Relation", "LogicalRDD", "OneRowRelation", "Range")
ROWS_OF_ONE = ("SubqueryAlias", "ResolvedHint", "GlobalLimit", "LocalLimit", "Distinct", "Repartition")
"""Nodes whose columns are those of their child, and which add no influence on them."""
Scope = Mapping[str, Influence]
Branches = Sequence[Scope]
"""Rows that come from different children of a union, as long as a literal distinguishes them."""


@dataclass(frozen=True)
class Node:
    """A node of the plan: its kind, the text after it, and what it reads."""

    kind: str
    text: str
    children: list["Node"] = field(default_factory=list)


@dataclass(frozen=True)
class Lineage:
    """The influence on each column, and on the rows by filters, joins, groups and orders; columns are `dataset.field`."""

    columns: Mapping[str, Influence]
    rows: Mapping[str, frozenset[str]]


def lineage(explained: str) -> Lineage:
    """The lineage of the columns of a frame that was explained with `extended`; UserError where a node is unknown."""
    found = ANALYSED.search(explained)
    if not found:
        raise UserError("no analysed plan to read / 没有可读的执行计划")
    reader = _Reader()
    branches = reader.outputs(tree(found[1]), "")
    values = [(name.partition("#")[0], value) for branch in branches for name, value in branch.items()]
    columns = {name: merged(value for other, value in values if other == name) for name, _ in values}
    return Lineage(columns, {kind: frozenset(sources) for kind, sources in reader.rows.items()})


def tree(text: str) -> Node:
    """The plan's root, of text with a node a line; three characters a level."""
    path: list[Node] = []
    for line in text.splitlines():
        match = LINE.match(line)
        if not match:
            raise UserError(f"this line of the plan cannot be read / 无法读懂执行计划中的一行: {line[:200]}")
        node, depth = Node(match[2], match[3]), len(match[1]) // 3
        del path[depth:]
        if path:
            path[-1].children.append(node)
        path.append(node)
    return path[0]


class _Reader:
    """Follows attributes from the leaves up, and notes what decides on rows."""

    def __init__(self) -> None:
        self.rows: dict[str, set[str]] = {}

    def outputs(self, node: Node, alias: str) -> Branches:
        """The influence on each attribute that the node puts out, in order, for each branch of unions below it."""
        if node.kind in LEAVES:
            return [_leaf(node, alias)]
        children = [
            self.outputs(child, node.text if node.kind == "SubqueryAlias" else alias) for child in node.children
        ]
        if node.kind == "Union":
            return _union(children)
        if node.kind == "Join":
            return self._join(node, *children)
        return [self._of_branch(node, scope) for scope in children[0]]

    def _of_branch(self, node: Node, scope: Scope) -> Scope:
        match node.kind:
            case "Project":
                return dict(_item(item, scope) for item in split(_lists(node.text)[0]))
            case "Aggregate":
                return self._aggregate(node.text, scope)
            case "Window":
                return {**scope, **dict(_item(item, scope) for item in split(_lists(node.text)[0]))}
            case "Generate":
                value = influence(next(split(node.text)), scope)
                return {**scope, **{_attribute(item): value for item in split(_lists(node.text)[-1])}}
        self._decide(node, scope)
        return scope

    def _decide(self, node: Node, scope: Scope) -> None:
        match node.kind:
            case "Filter":
                self._note("filter", [node.text], scope)
            case "Deduplicate":
                self._note("group_by", _lists(node.text)[:1], scope)
            case "Sort":
                self._note("sort", _lists(node.text)[:1], scope)
            case kind if kind not in ROWS_OF_ONE:
                raise UserError(f"node '{kind}' of the plan is unknown / 执行计划中的 {kind} 尚不支持")

    def _note(self, kind: str, expressions: Sequence[str], scope: Scope) -> None:
        for expression in expressions:
            self.rows.setdefault(kind, set()).update(influence(expression, scope).columns())

    def _aggregate(self, text: str, scope: Scope) -> Scope:
        *keys, outputs = _lists(text)
        self._note("group_by", [key for group in keys for key in split(group)], scope)
        return dict(_item(item, scope) for item in split(outputs))

    def _join(self, node: Node, left: Branches, right: Branches) -> Branches:
        kind, _, condition = node.text.partition(", ")
        pairs = [{**one, **other} for one in left for other in right]
        for scope in pairs if condition else ():
            self._note("join", [condition], scope)
        return left if kind in ("LeftSemi", "LeftAnti") else pairs


def _leaf(node: Node, alias: str) -> dict[str, Influence]:
    """Columns of an input, or of rows that come from no dataset."""
    lists = _lists(node.text)
    attributes = [_attribute(item) for item in split(lists[-1])] if lists else []
    if not alias:
        return dict.fromkeys(attributes, NOTHING)
    return {one: Influence({f"{alias}.{one.partition('#')[0]}": Logic.IDENTITY}) for one in attributes}


def _union(children: Sequence[Branches]) -> Branches:
    """Columns by their position, with the attributes of the first child; children with the same literals are one branch."""
    names = list(children[0][0])
    alike: dict[tuple[str | None, ...], list[Scope]] = {}
    for branch in (dict(zip(names, scope.values(), strict=True)) for child in children for scope in child):
        alike.setdefault(tuple(value.constant for value in branch.values()), []).append(branch)
    return [_merged_branches(branches) for branches in alike.values()]


def _merged_branches(branches: Sequence[Scope]) -> Scope:
    return {
        name: replace(merged(branch[name] for branch in branches), constant=value.constant)
        for name, value in branches[0].items()
    }


def _item(text: str, scope: Scope) -> tuple[str, Influence]:
    named = ALIAS.match(text)
    return (named[2], influence(named[1], scope)) if named else (_attribute(text), influence(text, scope))


def _attribute(text: str) -> str:
    match = ATTRIBUTE.match(text)
    if not match:
        raise UserError(f"'{text[:200]}' of the plan is no attribute / 执行计划中的 {text[:200]} 不是列")
    return match[1]


def _lists(text: str) -> list[str]:
    """The contents of the lists in square brackets of a node's text, outside of other brackets."""
    return [part[1:-1] for part in split(text) if part.startswith("[") and part.endswith("]")]
