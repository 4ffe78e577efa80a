"""What is wrong with a rule's conditions, found before they run: SQL that cannot be parsed, unknown fields, times that are none."""

from collections.abc import Iterator

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from jobs.contracts.model import Contract, Rule

SQL_KEYS = ("condition", "unless", "row_condition")
"""Parameters of rules that are Spark SQL over the fields of a row."""
SATISFY = "expect_multicolumn_values_to_satisfy"
SHOWN = 12


def mistakes(contract: Contract, rule: Rule) -> Iterator[str]:
    """What would keep the rule from running, each as a sentence with its remedy."""
    for key in SQL_KEYS:
        if rule.kwargs.get(key):
            yield from (
                f"rule '{rule.id}': `{key}` {what}" for what in _of_condition(contract, rule, str(rule.kwargs[key]))
            )
    at = rule.kwargs.get("at")
    kinds = {field.name: field.type for field in contract.fields}
    if isinstance(at, str) and kinds.get(at) not in ("timestamp", "date"):
        yield f"rule '{rule.id}': `at` is '{at}', of type {kinds.get(at)}; a rule over time needs a timestamp or a date"


def notes(rule: Rule) -> Iterator[str]:
    """What may be another thing than its author means."""
    condition = str(rule.kwargs.get("condition", ""))
    if rule.type != SATISFY or "ignore_row_if" in rule.kwargs or not _asks_for_emptiness(condition):
        return
    yield (
        f"rule '{rule.id}': its condition is about empty fields, but rows in which all its fields are empty are passed over; "
        "add `ignore_row_if: never` to check them too"
    )


def _of_condition(contract: Contract, rule: Rule, condition: str) -> Iterator[str]:
    try:
        tree = sqlglot.parse_one(condition, read="spark")
    except SqlglotError as error:
        yield f"is not Spark SQL: {str(error).splitlines()[0]}"
        return
    names = {name.lower() for name in contract.columns()} | _variables(tree)
    tables = names | {lookup.alias for lookup in rule.lookups}
    for column in tree.find_all(exp.Column):
        if column.table and column.table.lower() not in tables:
            yield f"names '{column.table}', which is neither a field nor a lookup of the suite"
        elif not column.table and column.name[:1] != "_" and column.name.lower() not in names:
            yield f"names '{column.name}', which is not a field of the contract; fields: {_listed(contract)}"


def _variables(tree: exp.Expr) -> set[str]:
    """Names that functions such as `exists(list, x -> …)` give to what they are called with."""
    return {str(name).lower() for function in tree.find_all(exp.Lambda) for name in function.expressions}


def _listed(contract: Contract) -> str:
    names = contract.columns()
    return ", ".join(names[:SHOWN]) + (" …" if len(names) > SHOWN else "")


def _asks_for_emptiness(condition: str) -> bool:
    try:
        tree = sqlglot.parse_one(condition, read="spark")
    except SqlglotError:
        return False
    return any(isinstance(node.expression, exp.Null) for node in tree.find_all(exp.Is))
