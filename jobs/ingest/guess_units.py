"""The unit that a header names: `用水量(m³)`, `[kWh]`, `pressure psi`, `energy_heat_kwh`."""

import re

UNIT = (
    r"m³/h|m3/h|m³|m3|立方米|吨/时|t/h|吨|L/s|l/s|L/min|kWh|MWh|千瓦时|万千瓦时|度|GJ|MJ|kJ|℃|°C|degC|°F|degF|K|"
    r"MPa|kPa|hPa|Pa|psig|psi|mbar|bar|kW|MW|W/m2|W|mg/L|mg/m3|mg/m³|ug/m3|μg/m3|µg/m3|ug/m³|μg/m³|µg/m³|NTU|"
    r"μS/cm|uS/cm|µS/cm|mS/cm|mV|V|A|Hz|%|‰|m/s|km/h|km|mm|cm|m|平方米|㎡|m2|公顷|亩|元|万元|亿元|USD|ft|in|"
    r"ppm|ppb|dB|人|户|件|个|台|次|秒|分钟|小时|天|s|min|h|MPN/100\s?mL|"
    r"GJ/h|%LEL|mm/h|rpm|kg/m3|kg|g|t|mL|L|kVA|kvar|kvarh|lx|"
    r"米|毫米|厘米|公里|千米|千克|公斤|克|升|毫升|兆帕|千帕|帕|摄氏度|伏|安|赫兹|千瓦|兆瓦|吉焦|立方米/时|立方米/小时|吨/小时|毫克/升"
)
IN_BRACKETS = re.compile(rf"[(\[（【]\s*(?:单位[:：]\s*)?({UNIT})\s*[)\]）】]", re.I)
AT_END = re.compile(r"[\s_](kwh|mwh|gj|psig|psi|kpa|mpa|hpa|ntu|degc|degf|°c|°f|℃|m3|usd|mg[/_]l)$", re.I)
"""Units at the end of a header, without brackets; only those that cannot be a word."""
SPELLED = {"degc": "℃", "°c": "℃", "degf": "°F", "°f": "°F", "mg_l": "mg/L", "m3": "m³", "m3/h": "m³/h"} | {
    **{"米": "m", "毫米": "mm", "厘米": "cm", "公里": "km", "千米": "km", "平方米": "m²", "立方米": "m³"},
    **{"千克": "kg", "公斤": "kg", "克": "g", "升": "L", "毫升": "mL", "毫克/升": "mg/L", "摄氏度": "℃"},
    **{"兆帕": "MPa", "千帕": "kPa", "帕": "Pa", "伏": "V", "安": "A", "赫兹": "Hz", "千瓦": "kW", "兆瓦": "MW"},
    **{"千瓦时": "kWh", "吉焦": "GJ", "立方米/时": "m³/h", "立方米/小时": "m³/h", "吨/时": "t/h", "吨/小时": "t/h"},
}
"""Lower-case form → how the lake writes the unit."""
USUAL = {unit.lower(): unit for unit in ("kWh", "MWh", "GJ", "kPa", "MPa", "hPa", "NTU", "USD", "mg/L", "psi", "psig")}


def header_unit(header: str) -> str:
    """The unit, as the lake writes it; empty where the header names none."""
    match = IN_BRACKETS.search(header) or AT_END.search(header)
    if match is None:
        return ""
    unit = match[1]
    return SPELLED.get(unit.lower()) or USUAL.get(unit.lower(), unit)
