"""How a suite will run: one fused pass, a group-by per key, a join per reference, and the rest through GX itself."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from jobs.contracts import Contract, Lookup, Rule

UNIQUE = ("expect_column_values_to_be_unique", "expect_compound_columns_to_be_unique")
REFERENCE = "expect_column_values_to_be_known"
HELD_BACK = "expect_column_values_to_not_be_held_back"
SERIES = (
    "expect_column_values_to_not_be_stuck",
    "expect_column_values_to_not_spike",
    "expect_column_values_to_not_fall",
    "expect_column_values_to_follow_in_time",
    "expect_column_growth_to_match_rate",
    "expect_column_values_to_not_change_unit",
    "expect_column_values_to_not_depart",
    "expect_column_values_to_not_drift",
    "expect_column_values_to_not_be_silent",
)
COPIES = "_copies"
COUNTY = "_county_of"


@dataclass(frozen=True)
class Group:
    """Rows that share the values of `columns`; `rule` is None for the group that only detects equal copies.

    `takes_empty`: rows in which all these columns are empty share their values too.
    """

    rule: Rule | None
    columns: tuple[str, ...]
    flag: str
    takes_empty: bool = False


@dataclass(frozen=True)
class Reference:
    """Values of `column` that must occur in `field` of another dataset's silver table.

    `includes_held_back`: a value in a row held back there is not counted as unknown; `is_held_back`: the rule counts these values.
    """

    rule: Rule
    column: str
    dataset: str
    field: str
    flag: str
    includes_held_back: bool = False
    is_held_back: bool = False

    def source(self) -> tuple[str, str, str]:
        """What it compares: a column, and a field of another dataset."""
        return self.column, self.dataset, self.field


@dataclass(frozen=True)
class Series:
    """A rule over neighbouring rows: those of one point, in order of time."""

    rule: Rule
    flag: str


@dataclass(frozen=True)
class Plan:
    """The passes of one dataset, before anything runs. Each group and reference is one more read; a series is none."""

    contract: Contract
    rules: tuple[Rule, ...]
    groups: tuple[Group, ...]
    references: tuple[Reference, ...]
    drops_copies: bool
    series: tuple[Series, ...] = ()
    lookups: tuple[Lookup, ...] = ()
    county: str = ""
    """Spark SQL for the row's county; empty where counts are not stored by county."""
    county_unless: str = ""
    """Flag of the reference whose unknown values are no county; empty where a lookup provides the county."""

    def table_reads(self) -> int:
        """How often the delivery's bronze rows are read."""
        return 1 + len(self.groups) + len(self.sources())

    def sources(self) -> tuple[tuple[Reference, ...], ...]:
        """The references that compare the same values, together; those that tell held-back values apart come first."""
        by_source: dict[tuple[str, str, str], list[Reference]] = {}
        for reference in sorted(self.references, key=lambda r: not r.includes_held_back):
            by_source.setdefault(reference.source(), []).append(reference)
        return tuple(map(tuple, by_source.values()))


def plan(contract: Contract, rules: Sequence[Rule]) -> Plan:
    """The plan of a dataset's rules; pure, no engine needed."""
    drops = contract.write.duplicates == "drop"
    groups, references = [], []
    for rule in rules:
        if rule.type in UNIQUE and "row_condition" not in rule.kwargs:
            groups.append(Group(rule, _columns(rule), f"_dup_{rule.id}", rule.kwargs.get("ignore_row_if") == "never"))
        elif rule.type in (REFERENCE, HELD_BACK):
            references.append(_reference(rule))
    if drops and not any(group.columns == contract.key() for group in groups):
        groups.append(Group(None, (), COPIES))
    series = tuple(Series(rule, flag_of(rule)) for rule in rules if rule.type in SERIES)
    county, unless, partner = _county(contract, references)
    lookups = (*_named_lookups(rules), *partner)
    return Plan(contract, tuple(rules), tuple(groups), tuple(references), drops, series, lookups, county, unless)


def _county(contract: Contract, references: Sequence[Reference]) -> tuple[str, str, tuple[Lookup, ...]]:
    """The row's county in Spark SQL, the flag of rows that have none, and the lookup that provides it.

    A code that is no division has no county.
    """
    county = contract.county
    if county is None:
        return "", "", ()
    if county.dataset:
        lookup = Lookup(COUNTY, county.dataset, tuple(county.on.items()), (county.field,))
        return f"{COUNTY}.{county.field}", "", (lookup,)
    unknown_flags = [r.flag for r in references if r.column == county.field]
    return (f"`{county.field}`", unknown_flags[0], ()) if unknown_flags else ("", "", ())


def _named_lookups(rules: Sequence[Rule]) -> tuple[Lookup, ...]:
    """The lookups that the rules name, each alias once, with all fields that any rule reads."""
    by_alias: dict[str, Lookup] = {}
    for lookup in (lookup for rule in rules for lookup in rule.lookups):
        fields = by_alias[lookup.alias].fields if lookup.alias in by_alias else ()
        by_alias[lookup.alias] = replace(lookup, fields=tuple(sorted({*fields, *lookup.fields})))
    return tuple(by_alias.values())


def other_datasets(rule: Rule) -> set[str]:
    """Datasets other than its own that the rule reads."""
    lookups = {lookup.dataset for lookup in rule.lookups}
    return {*lookups, str(rule.kwargs["dataset"])} if rule.type in (REFERENCE, HELD_BACK) else lookups


def flag_of(rule: Rule) -> str:
    """Column that says for each row whether it breaks a rule that needs other rows; empty for any other rule."""
    if rule.type in (REFERENCE, HELD_BACK):
        return f"_lost_{rule.id}"
    return f"_series_{rule.id}" if rule.type in SERIES else ""


def _columns(rule: Rule) -> tuple[str, ...]:
    if "column" in rule.kwargs:
        return (str(rule.kwargs["column"]),)
    return tuple(rule.kwargs["column_list"])


def _reference(rule: Rule) -> Reference:
    kwargs = rule.kwargs
    is_held_back = rule.type == HELD_BACK
    includes = is_held_back or bool(kwargs.get("includes_held_back"))
    return Reference(rule, kwargs["column"], kwargs["dataset"], kwargs["field"], flag_of(rule), includes, is_held_back)
