"""The unit that a header names: `用水量(m³)`, `[kWh]`, `pressure psi`, `energy_heat_kwh`."""

import re

UNIT = (
    r"m³/h|m3/h|m³|m3|立方米|吨/时|t/h|吨|L/s|l/s|L/min|kWh|MWh|千瓦时|万千瓦时|度|GJ|MJ|kJ|℃|°C|degC|°F|degF|K|"
    r"MPa|kPa|hPa|Pa|psig|psi|mbar|bar|kW|MW|W/m2|W|mg/L|mg/m3|mg/m³|ug/m3|μg/m3|µg/m3|ug/m³|μg/m³|µg/m³|NTU|"
    r"μS/cm|uS/cm|µS/cm|mS/cm|mV|V|A|Hz|%|‰|m/s|km/h|km|mm|cm|m|平方米|㎡|m2|公顷|亩|元|万元|亿元|USD|ft|in|"
    r"ppm|ppb|dB|人|户|件|个|台|次|秒|分钟|小时|天|s|min|h|MPN/100\s?mL"
)
IN_BRACKETS = re.compile(rf"[(\[（【]\s*(?:单位[:：]\s*)?({UNIT})\s*[)\]）】]", re.I)
AT_END = re.compile(r"[\s_](kwh|mwh|gj|psig|psi|kpa|mpa|hpa|ntu|degc|degf|°c|°f|℃|m3|usd|mg[/_]l)$", re.I)
"""Units at the end of a header, without brackets; only those that cannot be a word."""
SPELLED = {"degc": "℃", "°c": "℃", "degf": "°F", "°f": "°F", "mg_l": "mg/L", "m3": "m³", "m3/h": "m³/h"}
"""Lower-case form → how the lake writes the unit."""
USUAL = {unit.lower(): unit for unit in ("kWh", "MWh", "GJ", "kPa", "MPa", "hPa", "NTU", "USD", "mg/L", "psi", "psig")}


def header_unit(header: str) -> str:
    """The unit, as the lake writes it; empty where the header names none."""
    match = IN_BRACKETS.search(header) or AT_END.search(header)
    if match is None:
        return ""
    unit = match[1]
    return SPELLED.get(unit.lower()) or USUAL.get(unit.lower(), unit)
