"""A dataset that does not ship: one contract and one suite beside the shipped ones."""

import shutil
from pathlib import Path

from jobs.settings import PROJECT

ID, PROVIDER = "street_lamps", "city_lighting"
CONTRACT = """apiVersion: v3.1.0
kind: DataContract
id: street_lamps
name: 路灯台账
version: 1.0.0
status: active
description: {purpose: 城区路灯及其功率}
team: {name: 聊城市路灯管理处, members: [{username: lamp_steward, name: 路灯数据专员, role: data steward}]}
schema:
  - name: street_lamps
    properties:
      - {name: lamp_no, businessName: 灯杆号, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - name: power_w
        businessName: 功率
        logicalType: number
        logicalTypeOptions: {minimum: 0, maximum: 2000}
      - {name: contact_phone, logicalType: string}
customProperties:
  - {property: provider, value: city_lighting}
"""
SUITE = """name: street_lamps
expectations:
  - id: lamp_is_weak
    type: expect_column_values_to_be_between
    kwargs: {column: power_w, min_value: 20}
    severity: warning
    meta: {dimension: 准确性, message: 功率偏低, remedy: 请核对铭牌, basis: 照明规程}
"""
CANARY = "13806350917"
"""A number of a person, right in one row and wrong in another; the scheduler may learn of neither."""

ROWS = f"灯杆号,功率,联系电话\n甲1,150,{CANARY}\n甲2,9000,{CANARY}转\n甲3,5,{CANARY}\n"


def write(folder: Path) -> dict[str, str]:
    """The shipped contracts and the new one in `folder`; the settings that name them."""
    for name, text in (("schemas", CONTRACT), ("expectations", SUITE)):
        shutil.copytree(PROJECT / name, folder / name)
        target = folder / name / "sources" / PROVIDER / f"{ID}.yaml"
        target.parent.mkdir()
        target.write_text(text, "utf-8")
    return environ(folder)


def environ(folder: Path) -> dict[str, str]:
    """The settings that name the contracts in `folder`."""
    return {"LAKE_SCHEMAS": str(folder / "schemas"), "LAKE_EXPECTATIONS": str(folder / "expectations")}
