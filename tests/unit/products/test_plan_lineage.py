"""Analysed plans as Spark prints them, read down to the columns of the inputs; no engine is needed."""

import pytest

from jobs.errors import UserError
from jobs.products.plan_expressions import Influence, Logic, influence, split
from jobs.products.plan_lineage import Lineage, lineage

A, B, C = (Influence({f"t.{name}": Logic.IDENTITY}) for name in "abc")
SCOPE = {"a#1": A, "b#2": B, "c#3": C, "kind#4": Influence(constant="water")}


def shown(value: Influence) -> tuple[str, str, str]:
    """Direct sources by the first letter of their logic, conditions, windows."""
    direct = " ".join(f"{name[2:]}:{logic.name[0]}" for name, logic in sorted(value.direct.items()))
    return direct, _columns(value.conditional), _columns(value.window)


def _columns(names: frozenset[str]) -> str:
    return " ".join(sorted(name[2:] for name in names))


@pytest.mark.parametrize(
    ("expression", "direct", "conditional", "window"),
    [
        ("a#1", "a:I", "", ""),
        ("a#1L", "a:I", "", ""),
        ("(a#1)", "a:I", "", ""),
        ("cast(a#1 as double)", "a:T", "", ""),
        ("(a#1 + b#2L)", "a:T b:T", "", ""),
        ("round((cast((cast(100 as bigint) * a#1) as double) / b#2), 2)", "a:T b:T", "", ""),
        ("sum(a#1)", "a:A", "", ""),
        ("count(1)", "", "", ""),
        ("count(distinct a#1)", "a:A", "", ""),
        ("coalesce(sum(a#1), 0.0)", "a:A", "", ""),
        ("CASE WHEN (a#1 > 3) THEN b#2 END", "b:T", "a", ""),
        ("CASE WHEN isnull(a#1) THEN 1 WHEN (b#2 = 在用) THEN c#3 ELSE b#2 END", "b:T c:T", "a b", ""),
        ("count(CASE WHEN ((a#1 = 已办结) AND isnotnull(b#2)) THEN 1 END)", "", "a b", ""),
        ("CASE WHEN (kind#4 = water) THEN a#1 WHEN (kind#4 = gas) THEN b#2 END", "a:T", "", ""),
        ("CASE WHEN (kind#4 = gas) THEN a#1 ELSE b#2 END", "b:T", "", ""),
        ("CASE WHEN CASE WHEN a#1 THEN b#2 ELSE false END THEN c#3 END", "c:T", "a b", ""),
        ("(if ((a#1 > b#2)) 1 else c#3)", "c:T", "a b", ""),
        ("struct(x, a#1, y, b#2).x", "a:I", "", ""),
        ("max(struct(x, a#1, y, b#2)).y", "b:A", "a b", ""),
        ("array(struct(x, a#1), struct(x, b#2))[0].x", "a:T b:T", "", ""),
        ("map(water, 1, gas, 2)[a#1]", "a:T", "", ""),
        (
            "last(struct(x, a#1), true) windowspecdefinition(b#2, c#3 ASC NULLS FIRST, specifiedwindowframe(RangeFrame, -9, -1)).x",
            "a:A",
            "",
            "b c",
        ),
        (
            "array_sort(a#1, lambdafunction((lambda left#8 - lambda right#9), lambda left#8, lambda right#9, false))",
            "a:T",
            "",
            "",
        ),
    ],
)
def test_influences_on_an_expression(expression: str, direct: str, conditional: str, window: str) -> None:
    assert shown(influence(expression, SCOPE)) == (direct, conditional, window)


@pytest.mark.parametrize("expression", ["x#9", "a#1) + 1", "CASE a#1 WHEN 1 THEN 2 END"])
def test_an_expression_that_is_not_understood_is_an_error(expression: str) -> None:
    with pytest.raises(UserError, match="执行计划"):
        influence(expression, SCOPE)


def test_lists_are_split_outside_of_brackets() -> None:
    assert list(split("f(a, b) AS x#1, [c, d], e")) == ["f(a, b) AS x#1", "[c, d]", "e"]


def read(plan: str) -> Lineage:
    return lineage(
        f"== Parsed Logical Plan ==\nx\n\n== Analyzed Logical Plan ==\na: int\n{plan}\n\n== Optimized Logical Plan ==\n"
    )


def test_columns_are_followed_through_joins_aggregates_and_filters() -> None:
    found = read(
        """Project [day#9, n#8L, name#5]
+- Join LeftOuter, (code#2 = code#4)
   :- Aggregate [day#9, code#2], [day#9, code#2, count(v#3) AS n#8L]
   :  +- Project [date(at#1) AS day#9, code#2, v#3]
   :     +- Filter isnotnull(v#3)
   :        +- SubqueryAlias orders
   :           +- LocalRelation <empty>, [at#1, code#2, v#3]
   +- Deduplicate [code#4]
      +- SubqueryAlias places
         +- LocalRelation <empty>, [code#4, name#5]"""
    )
    assert {name: dict(value.direct) for name, value in found.columns.items()} == {
        "day": {"orders.at": Logic.TRANSFORMATION},
        "n": {"orders.v": Logic.AGGREGATION},
        "name": {"places.name": Logic.IDENTITY},
    }
    assert found.rows == {
        "join": {"orders.code", "places.code"},
        "group_by": {"orders.at", "orders.code", "places.code"},
        "filter": {"orders.v"},
    }


def test_a_literal_tells_the_parts_of_a_union_apart() -> None:
    found = read(
        """Aggregate [max(CASE WHEN (kind#3 = water) THEN v#2 END) AS supply#7, max(CASE WHEN (kind#3 = gas) THEN v#2 END) AS gas#8, max(v#2) AS all#9]
+- Union false, false
   :- Project [water AS kind#3, m#1 AS v#2]
   :  +- SubqueryAlias plants
   :     +- LocalRelation <empty>, [m#1]
   +- Project [gas AS kind#5, g#4 AS v#6]
      +- SubqueryAlias gates
         +- LocalRelation <empty>, [g#4]"""
    )
    assert {name: sorted(value.direct) for name, value in found.columns.items()} == {
        "supply": ["plants.m"],
        "gas": ["gates.g"],
        "all": ["gates.g", "plants.m"],
    }


def test_rows_of_no_input_have_no_source_and_a_semi_join_no_columns() -> None:
    found = read(
        """Join LeftSemi, (a#1 = b#2)
:- SubqueryAlias t
:  +- LocalRelation <empty>, [a#1]
+- Sort [b#2 ASC NULLS FIRST], true
   +- Generate explode(array(1, 2)), false, [b#2]
      +- OneRowRelation"""
    )
    assert {name: sorted(value.direct) for name, value in found.columns.items()} == {"a": ["t.a"]}
    assert found.rows == {"join": {"t.a"}, "sort": set()}


@pytest.mark.parametrize("plan", ["Pivot [a#1]\n+- LocalRelation [a#1]", "Project [a#1]\n| LocalRelation [a#1]"])
def test_a_plan_that_is_not_understood_is_an_error(plan: str) -> None:
    with pytest.raises(UserError, match="执行计划"):
        read(plan)


def test_text_without_an_analysed_plan_is_an_error() -> None:
    with pytest.raises(UserError, match="没有可读的执行计划"):
        lineage("== Physical Plan ==\n")
