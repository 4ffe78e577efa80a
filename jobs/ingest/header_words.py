"""What headers and values say about a column: personal data, codes, names, money."""

import re

PERSONAL_HEADER = re.compile(
    r"身份证|证件号|公民身份|手机|电话|联系方式|姓名|联系人|联系|法定代表人|法人代表|负责人|户主|住址|家庭|银行卡|邮箱|出生|"
    r"phone|mobile|e-?mail|id_?card|passport|customer_?name|first_?name|last_?name|birth",
    re.I,
)
CODE_HEADER = re.compile(
    r"编号|编码|代码|号码|识别码|标识码|^号$|单号|code$|(?<![a-z])id$|_id$|zip|postal|number$|revision$|version$|版本号?$|\bkey$",
    re.I,
)
SAYS_CODE = re.compile(
    r"编号|编码|代码|识别码|标识码|(?<![序行])号$|code$|revision$|版本号?$|(?:^|[^a-z])(?:id|no)\.?$|(?-i:[a-z](?:Id|ID|No|NO)\.?$)|№$",
    re.I,
)
"""Headers that name a code: their values are never quantities, whatever they look like."""
ALWAYS_CODE = re.compile(r"zip|postal|phone|邮政编码|邮编|电话|手机|证号", re.I)
SERIAL_HEADER = re.compile(r"^(序号|行号?|no\.?|#|row|index|unnamed.*)$", re.I)
MEASURED_HEADER = re.compile(
    r"温度|压力|压强|流量|用量|用水量|用气量|用热量|水位|浓度|功率|电流|电压|能耗|热量|面积|长度|高度|经度|纬度|坐标|重量|金额|费|价|"
    r"(?<![a-z])(?:pm_?(?:2[._]?5|10)|so2|no2|o3|co|nox|tvoc)(?![a-z0-9])|temp|pressure|flow|level|concentration|power|energy|consumption|"
    r"coordinate|area|length|height|width|weight|distance|speed|humidity|radiation|turbidity|conductivity|chlorine",
    re.I,
)
"""Quantities that are measured: a later file may hold decimals where this one has none."""
FULL_WIDTH = re.compile("[\uff01-\uff5e\u3000]")
NAMING_HEADER = re.compile(r"名称|名$|地址|name$|address$", re.I)
MONEY_HEADER = re.compile(r"金额|费|价|款|\(元\)|（元）|万元|amount|charge|cost|price|usd|cny", re.I)
