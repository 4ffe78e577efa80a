"""Structural rules that a contract implies, in Great Expectations' words; derived when they run, never stored."""

from collections.abc import Iterator, Mapping
from typing import Any

from jobs.contracts.codes import codes, conditions_of, is_half_width
from jobs.contracts.model import Contract, Dimension, Field, Rule
from jobs.contracts.names import MALFORMED, TEXT


def text_column(field: Field) -> str:
    """Column that holds the field's normalised text: the field itself where it is text anyway."""
    return field.name if field.type == "string" and not field.source.censored else TEXT + field.name


def structural_rules(contract: Contract, titles: Mapping[str, str]) -> tuple[Rule, ...]:
    """Shape, required, type, enum, pattern, range, length, key and reference rules of a contract.

    `titles` says what people call the datasets that it refers to.
    """
    rules = [_shape(contract)] if contract.kind == "source" else []
    for field in contract.fields:
        rules.extend(_field_rules(contract, field))
        rules.extend(_reference(contract, field, titles))
    rules.extend(_key_rules(contract))
    return tuple(rules)


def _shape(contract: Contract) -> Rule:
    kwargs = {"column": MALFORMED}
    message = "该行的列数或引号与表头不符，无法对应到字段"
    remedy = "请检查该行是否多了或少了分隔符、引号未配对，修正后重新报送"
    if contract.layout.format in ("json", "jsonl"):
        message = "该行不是有效的 JSON 记录，无法对应到字段"
        remedy = "请检查该行是否被截断、缺少引号或括号，从业务系统重新导出后报送"
    return _rule(
        contract, "row_shape", "expect_column_values_to_be_null", kwargs, "规范性", (message, remedy), (), "0102"
    )


def _field_rules(contract: Contract, field: Field) -> Iterator[Rule]:
    name, title = field.name, field.title
    own: dict[str, Any] = {"column": name}

    def rule(
        kind: str, type_: str, kwargs: Mapping[str, Any], dimension: Dimension, words: tuple[str, str], indicator: str
    ) -> Rule:
        return _rule(contract, f"{name}_{kind}", type_, kwargs, dimension, words, (name,), indicator)

    if field.required:
        words = (f"「{title}」不能为空", f"请补填「{title}」后重新报送")
        kwargs: dict[str, Any] = {"column": text_column(field)}
        yield rule("required", "expect_column_values_to_not_be_null", kwargs, "完整性", words, "0201")
    if text_column(field) != name:
        words = (f"「{title}」不是有效的{_type_words(field)}", f"请按{_type_words(field)}格式填写「{title}」")
        kwargs = {"column": text_column(field), "parsed": name}
        yield rule("type", "expect_column_values_to_parse", kwargs, "规范性", words, "0302")
    if field.enum:
        known = "、".join(f"{k}" if k == v else f"{k}（{v}）" for k, v in list(field.enum.items())[:12])
        words = (f"「{title}」不在代码表中", f"「{title}」只能填：{known}")
        kwargs = {**own, "value_set": _typed(field, list(field.enum))}
        yield rule("enum", "expect_column_values_to_be_in_set", kwargs, "规范性", words, "0105")
    if field.pattern:
        words = (f"「{title}」格式不对", f"请按规定格式填写「{title}」（{field.description or field.pattern}）")
        kwargs = {**own, "regex": field.pattern}
        yield rule("pattern", "expect_column_values_to_match_regex", kwargs, "规范性", words, "0302")
    yield from _limits(contract, field)
    yield from _codes(contract, field)
    if field.unique:
        words = (f"「{title}」重复", f"每个「{title}」只能出现一次，请核对后保留正确的一行")
        yield rule("unique", "expect_column_values_to_be_unique", own, "准确性", words, "0304")


def _reference(contract: Contract, field: Field, titles: Mapping[str, str]) -> Iterator[Rule]:
    if not field.reference:
        return
    dataset, _, column = field.reference.partition(".")
    called = titles.get(dataset, dataset)
    words = (
        f"「{field.title}」在《{called}》中查无此项",
        f"请核对「{field.title}」；填写无误的，请《{called}》的提供部门补报缺少的记录",
    )
    kwargs = {"column": field.name, "dataset": dataset, "field": column}
    type_, id_ = "expect_column_values_to_be_known", f"{field.name}_reference"
    yield _rule(contract, id_, type_, kwargs, "一致性", words, (field.name,), "0402")


def _limits(contract: Contract, field: Field) -> Iterator[Rule]:
    name, title = field.name, field.title
    if field.minimum is not None or field.maximum is not None:
        low = "不限" if field.minimum is None else field.minimum
        high = "不限" if field.maximum is None else field.maximum
        span = f"{low} ～ {high}{field.unit}"
        words = (f"「{title}」超出可能的范围（{span}）", f"请核对「{title}」的数值和计量单位（应为 {span}）")
        kwargs = {"column": name, "min_value": field.minimum, "max_value": field.maximum}
        yield _rule(
            contract, f"{name}_range", "expect_column_values_to_be_between", kwargs, "准确性", words, (name,), "0301"
        )
    if field.min_length is not None or field.max_length is not None:
        words = (
            f"「{title}」长度不对",
            f"「{title}」应为 {field.min_length or 0} 至 {field.max_length or '不限'} 个字符",
        )
        kwargs = {"column": name, "min_value": field.min_length, "max_value": field.max_length}
        type_ = "expect_column_value_lengths_to_be_between"
        yield _rule(contract, f"{name}_length", type_, kwargs, "规范性", words, (name,), "0302")


def _code_conditions(contract: Contract, field: Field) -> Iterator[str]:
    """What a field with a code is held to; of texts that are not normalised, also that nothing needed it."""
    if not field.code:
        return
    yield from conditions_of(field.code)
    if contract.kind != "source" or not field.is_coded():
        return
    if not field.is_trimmed():
        yield "trimmed"
    if is_half_width(field.code) and not field.is_narrowed():
        yield "half_width"


def _codes(contract: Contract, field: Field) -> Iterator[Rule]:
    for name in dict.fromkeys(_code_conditions(contract, field)):
        code = codes()[name]
        yield Rule(
            f"{field.name}_{name}",
            f"expect_column_values_to_be_{name}",
            {"column": field.name},
            code.severity,
            code.dimension,
            code.message.format(title=field.title),
            code.remedy,
            code.standard,
            (field.name,),
            "contract",
            code.indicator,
        )


def _key_rules(contract: Contract) -> Iterator[Rule]:
    key = contract.key()
    if not key:
        return
    titles = "+".join(contract.field(name).title for name in key)
    words = (f"主键（{titles}）重复且内容不一致", f"同一「{titles}」只能有一条记录，请核对后保留正确的一条")
    if len(key) == 1:
        yield _rule(
            contract,
            "primary_key",
            "expect_column_values_to_be_unique",
            {"column": key[0]},
            "准确性",
            words,
            key,
            "0304",
        )
    else:
        kwargs = {"column_list": list(key)}
        type_ = "expect_compound_columns_to_be_unique"
        yield _rule(contract, "primary_key", type_, kwargs, "准确性", words, key, "0304")


def _typed(field: Field, values: list[str]) -> list[Any]:
    if field.type == "integer":
        return [int(v) for v in values]
    if field.type == "number":
        return [float(v) for v in values]
    return values


def _type_words(field: Field) -> str:
    return {
        "integer": "整数",
        "number": "数字",
        "boolean": "是/否值",
        "date": "日期",
        "timestamp": "日期时间",
        "string": "文本",
    }[field.type]


def _rule(  # noqa: PLR0913 - one call a rule, all of it needed
    contract: Contract,
    id_: str,
    type_: str,
    kwargs: Mapping[str, Any],
    dimension: Dimension,
    words: tuple[str, str],
    fields: tuple[str, ...],
    indicator: str,
) -> Rule:
    message, remedy = words
    basis = f"数据契约 {contract.id} {contract.version}"
    return Rule(id_, type_, kwargs, "critical", dimension, message, remedy, basis, fields, "contract", indicator)
