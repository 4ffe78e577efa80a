"""Codes of Chinese public data by name: what a department is told when a value is not one. `code` of a field names one.

The conditions live where rules run; a test holds that both sides know the same names.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from jobs.contracts.model import Dimension, Severity


@dataclass(frozen=True)
class Code:
    """How a value that is not of the code is judged and explained; `{title}` is the field's Chinese name."""

    message: str
    remedy: str
    basis: str
    severity: Severity = "critical"
    dimension: Dimension = "规范性"
    indicator: str = "0105"


CODES: Mapping[str, Code] = {
    "uscc": Code(
        "「{title}」不是有效的统一社会信用代码（校验位或结构不符）",
        "请对照营业执照或登记证书核对 18 位代码，注意字母 O、I 与数字 0、1 混淆",
        "GB 32100-2015 法人和其他组织统一社会信用代码编码规则 4",
    ),
    "uscc_inner": Code(
        "「{title}」第 9 至 17 位（主体标识码）的校验位不符",
        "请对照登记证书核对第 9 至 17 位；如与证书一致，请在回复中说明",
        "GB 11714-1997 全国组织机构代码编制规则 3",
        "warning",
        "准确性",
        "0301",
    ),
    "organisation_code": Code(
        "「{title}」不是有效的组织机构代码",
        "请核对 8 位本体代码和 1 位校验码",
        "GB 11714-1997 全国组织机构代码编制规则 3",
    ),
    "registration_no": Code(
        "「{title}」不是有效的 15 位工商注册号",
        "请核对注册号；已换照的请改填统一社会信用代码",
        "GS 15-2006 工商行政管理注册号编制规则",
    ),
    "resident_id": Code(
        "「{title}」不是有效的公民身份号码（校验码或出生日期不符）",
        "请对照身份证件核对 18 位号码；15 位旧号请换成 18 位",
        "GB 11643-1999 公民身份号码 4",
    ),
    "resident_id_division": Code(
        "「{title}」前 6 位从未是行政区划代码",
        "请对照身份证件核对前 6 位；如与证件一致，请在回复中说明",
        "GB/T 2260 及历次修订（含 1997 年、2019 年聊城调整前的代码）",
        "warning",
        "准确性",
        "0301",
    ),
    "resident_id_not_made_up": Code(
        "「{title}」是为应付必填而编造的号码",
        "请核实当事人证件，补报真实号码",
        "GB 11643-1999 公民身份号码",
        "critical",
        "准确性",
        "0301",
    ),
    "not_excel_damaged": Code(
        "「{title}」疑似被电子表格改坏（末位变成 000 或科学计数法）",
        "请把该列设为文本格式后重新导出，不要在表格软件中以数字打开",
        "双精度浮点数只有 15 位有效数字",
        "critical",
        "准确性",
        "0301",
    ),
    "mobile": Code("「{title}」不是有效的手机号码", "请填写 11 位手机号码", "电信网编号计划（手机号码 11 位，1 开头）"),
    "phone": Code(
        "「{title}」不是有效的电话号码", "请填写手机号码，或带区号的固定电话，如 0635-8241111", "电信网编号计划"
    ),
    "postcode": Code("「{title}」不是有效的邮政编码", "请填写 6 位邮政编码，聊城为 252000 等", "邮政编码六位制"),
    "gender": Code("「{title}」不是性别代码", "请填 0 未知、1 男、2 女、9 未说明", "GB/T 2261.1-2003 人的性别代码"),
    "ethnic_group": Code("「{title}」不是民族代码", "请填 01 至 56、97 或 98", "GB/T 3304-1991 中国各民族名称代码"),
    "marital_status": Code(
        "「{title}」不是婚姻状况代码", "请填 10、20、21、22、23、30、40 或 90", "GB/T 2261.2-2003 婚姻状况代码"
    ),
    "industry": Code(
        "「{title}」不是国民经济行业代码（门类与大类须相符）",
        "请按门类字母加 2 至 4 位数字填写，如 C1353",
        "GB/T 4754-2017 国民经济行业分类",
    ),
    "bank_card": Code("「{title}」不是有效的银行卡号（校验位不符）", "请对照银行卡核对", "ISO/IEC 7812-1（Luhn）"),
    "plate": Code(
        "「{title}」不是有效的机动车号牌", "请核对号牌，号牌中没有字母 I 和 O", "GA 36-2018 中华人民共和国机动车号牌"
    ),
    "vin": Code(
        "「{title}」不是有效的车辆识别代号（校验位不符）",
        "请对照行驶证核对 17 位代号，其中没有 I、O、Q",
        "GB 16735-2019 车辆识别代号",
    ),
    "real_estate_unit": Code(
        "「{title}」不是有效的不动产单元代码", "请核对 28 位代码", "GB/T 37346-2019 不动产单元设定与代码编制规则"
    ),
    "birth_certificate_no": Code(
        "「{title}」不是有效的出生医学证明编号", "请填写 1 位字母加 9 位数字", "出生医学证明编号规则"
    ),
    "readable": Code(
        "「{title}」是乱码（以错误的编码保存或读取过）",
        "请从业务系统按 GB18030 或 UTF-8 重新导出，核对全字后报送",
        "GB 18030-2022 信息技术 中文编码字符集",
        "critical",
        "规范性",
        "0302",
    ),
    "without_lost_characters": Code(
        "「{title}」有丢失的生僻字（问号、方框或自造字）",
        "请填写原字；生僻字按 GB 18030 编码，不要用问号、方框或图片代替",
        "GB 18030-2022 信息技术 中文编码字符集",
        "warning",
        "准确性",
        "0301",
    ),
    "whole_name": Code(
        "「{title}」不是一个名称",
        "请填写完整名称，没有的留空，不要填“无”“测试”",
        "名称填报要求（可配置）",
        "warning",
        "准确性",
        "0301",
    ),
    "day": Code(
        "「{title}」不是存在的日期",
        "请按 YYYYMMDD 填写存在的日期",
        "GB/T 7408.1-2023 日期和时间表示法",
        "critical",
        "规范性",
        "0302",
    ),
}
FOLLOWING: Mapping[str, tuple[str, ...]] = {
    "uscc": ("uscc", "uscc_inner"),
    "resident_id": ("resident_id", "resident_id_division", "resident_id_not_made_up", "not_excel_damaged"),
    "bank_card": ("bank_card", "not_excel_damaged"),
    "name": ("readable", "without_lost_characters", "whole_name"),
}
"""Codes whose field is held to more than one condition; the others are held to their own."""


def conditions_of(code: str) -> tuple[str, ...]:
    """Conditions that a field of the code is held to."""
    return FOLLOWING.get(code, (code,))


def known_codes() -> tuple[str, ...]:
    """What `code` of a field may say."""
    return tuple(sorted({*CODES, *FOLLOWING}))
