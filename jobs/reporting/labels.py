"""The report's Chinese words for what the lake calls by stable English ones."""

from collections.abc import Mapping

from jobs.model.delivery import State

REPAIRS: Mapping[str, str] = {
    "trim": "去除首尾空白",
    "full_width": "全角转半角",
    "missing_word": "缺失值词转为空值",
    "mapping": "对照为标准词",
    "case": "统一大小写",
    "extract": "按约定提取",
    "unit": "去掉计量单位并按约定换算",
    "thousands": "去掉千分位符号",
    "decimal": "统一小数点写法",
    "rounded": "按约定小数位四舍五入",
    "date_format": "统一日期写法",
    "clock_doubled": "夏令时重复时刻按第一次读取",
    "clock_skipped": "夏令时不存在的时刻顺延一小时",
}
COPIES = "完全相同的重复行去重（保留一行）"
SEVERITIES: Mapping[str, str] = {"critical": "严重", "warning": "警告", "info": "提示"}
EFFECTS: Mapping[str, str] = {
    "critical": "该行不入库，进入隔离区",
    "warning": "入库并作标记",
    "info": "仅提醒，不影响入库",
}
SEVERITY_ORDER: Mapping[str, int] = {"critical": 0, "warning": 1, "info": 2}
MARKS: Mapping[State, str] = {
    State.LANDED: "○",
    State.UNREADABLE: "✕",
    State.LOADED: "○",
    State.ACCEPTED: "✓",
    State.PARTLY_QUARANTINED: "△",
    State.REFUSED: "✕",
}
TONES: Mapping[State, str] = {
    State.LANDED: "wait",
    State.UNREADABLE: "bad",
    State.LOADED: "wait",
    State.ACCEPTED: "good",
    State.PARTLY_QUARANTINED: "part",
    State.REFUSED: "bad",
}
FINDINGS: Mapping[str, str] = {
    "binary_as_hex": "二进制值",
    "characters_damaged": "字符损坏",
    "column_duplicate": "表头重复",
    "column_extra": "约定之外的列",
    "column_missing": "缺少列",
    "column_renamed": "旧版或别名表头",
    "dataset_unknown": "没有数据契约",
    "delimiter_differs": "分隔符与约定不同",
    "encoding_detected": "自动识别编码",
    "encoding_differs": "编码与约定不同",
    "file_name_unmatched": "文件名不符合约定",
    "format_differs": "格式与约定不同",
    "formulas_without_values": "公式没有结果",
    "id_precision_lost": "长号码精度丢失",
    "member_ignored": "未读取的文件",
    "merged_cells_filled": "合并单元格已填充",
    "mojibake": "疑似乱码",
    "nul_bytes": "空字节",
    "quotes_irregular": "引号不规范",
    "quotes_unpaired": "引号未配对",
    "rows_blank": "空行",
    "rows_malformed": "行形状不对",
    "section_rows": "小节标题行",
}
INDICATORS: Mapping[str, str] = {
    "0101": "数据标准",
    "0102": "数据模型",
    "0103": "元数据",
    "0104": "业务规则",
    "0105": "权威参考数据",
    "0106": "安全规范",
    "0201": "数据元素完整性",
    "0202": "数据记录完整性",
    "0301": "内容正确性",
    "0302": "格式合规性",
    "0303": "数据重复率",
    "0304": "唯一性",
    "0305": "脏数据出现率",
    "0401": "相同数据一致性",
    "0402": "关联数据一致性",
    "0501": "基于时间段的正确性",
    "0502": "基于时间点的及时性",
    "0503": "时序性",
    "0601": "可访问",
    "0602": "可用性",
}
PERIODS: Mapping[str, str] = {
    "mi": "分钟",
    "h": "小时",
    "d": "天",
    "wd": "个工作日",
    "w": "周",
    "mo": "个月",
    "y": "年",
}


def repair(kind: str) -> str:
    """The Chinese name of a declared change."""
    return REPAIRS.get(kind, kind)


def finding(kind: str) -> str:
    """The Chinese name of something noticed about a file."""
    return FINDINGS.get(kind, "读取时发现")


def indicator(code: str) -> str:
    """The indicator of GB/T 36344-2018 with its number."""
    return f"{code} {INDICATORS[code]}" if code in INDICATORS else (code or "未归入指标")
