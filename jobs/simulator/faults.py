"""The classes of faults that the city plants, and the ledger that says where each one is."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

KINDS: Mapping[str, str] = {
    "missing_required": "必填项为空",
    "bad_pattern": "编码格式不对",
    "bad_enum": "不在代码表中",
    "bad_date": "不存在的日期",
    "out_of_band": "超出物理量程",
    "regulatory_exceedance": "超过法定限值（数据属实，应报警）",
    "operating_exceedance": "超出运行范围",
    "duplicate_row": "整行重复发送",
    "key_conflict": "主键相同、内容不同",
    "orphan_reference": "引用的编码不在登记表中",
    "supply_return_swapped": "供、回或进、出测点接反",
    "unit_glued": "数值后粘连计量单位",
    "unit_wrong": "计量单位用错，数量级不符",
    "thousands": "带千分位分隔符",
    "full_width": "全角数字或字母",
    "lower_case": "代码小写",
    "date_format": "日期写法不同",
    "excel_damage": "被电子表格损坏的号码",
    "sentinel": "仪表故障代码当作数值",
    "zero_for_lost": "丢包填零",
    "censored": "低于检出限",
    "order_of_dates": "日期先后颠倒",
    "fine_mismatch": "罚款金额与处罚类别不符",
    "category_mismatch": "相关字段相互矛盾",
    "pm_inverted": "PM2.5 高于 PM10",
    "garbled": "乱码或丢字",
    "malformed_row": "行的列数不对",
    "synonym": "代码表以外的习惯叫法",
    "personal_data_in_text": "自由文本里的个人信息",
    "implausible_identity": "虚填或截断的证件号码",
    "cumulative_fall": "累计读数变小",
    "clock": "设备时钟错误",
    "late": "迟到",
    "encoding": "文件编码与平常不同",
    "old_layout": "旧版表头",
    "declared_rows": "申报行数与实际不符",
    "stuck": "传感器卡死",
    "spike": "尖峰",
    "datum": "坐标系用错",
    "remapped": "测点张冠李戴",
    "wrong_season": "季节不符",
    "drift": "漂移",
    "rollover": "表盘翻转",
}
"""Class → its Chinese name. A new class needs a line here and a fault in the file of some feed."""


@dataclass(frozen=True)
class Fault:
    """One planted fault. `row` is the line or row number that a person sees in the file (0: the whole file).

    `rules`: ids of the rules that must fail there. `repair`: the normalisation that must happen there instead.
    """

    dataset: str
    file: str
    delivery: str
    row: int
    key: str
    field: str
    kind: str
    rules: tuple[str, ...]
    repair: str
    severity: str


def write_ledger(faults: Iterable[Fault], path: Path) -> None:
    """The ledger as JSON lines, in the order given."""
    lines = [json.dumps(asdict(fault), ensure_ascii=False, sort_keys=True) for fault in faults]
    path.write_text("".join(line + "\n" for line in lines), "utf-8")


def read_ledger(path: Path) -> tuple[Fault, ...]:
    """The faults of a ledger file."""
    records = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    return tuple(Fault(**{**record, "rules": tuple(record["rules"])}) for record in records)
