"""A small contract, written as a person would, for tests that need one."""

HEAD = """apiVersion: v3.1.0
kind: DataContract
id: {id}
name: 换热站读数
version: 1.0.0
status: active
description: {{purpose: 测试}}
team: {{name: 聊城市供热公司, members: [{{username: wang, name: 王工, role: steward}}]}}
schema:
  - name: {id}
    properties:
{fields}
customProperties:
  - {{property: provider, value: heat}}
"""


def contract(id_: str, fields: str, properties: str = "") -> str:
    """An ODCS text with the given field lines (six spaces deep) and custom property lines (two deep)."""
    return HEAD.format(id=id_, fields=fields.rstrip()) + properties


STATION_FIELDS = """
      - {name: station, businessName: 站点, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1}
      - {name: read_at, businessName: 时间, logicalType: timestamp, required: true, primaryKey: true, primaryKeyPosition: 2}
      - name: temp_c
        businessName: 温度
        logicalType: number
        logicalTypeOptions: {minimum: 0, maximum: 150}
        customProperties:
          - {property: source, value: {units: {"℃": 1}}}
      - {name: return_c, businessName: 回温, logicalType: number}
"""

STATION_SUITE = """name: station
expectations:
  - id: supply_above_return
    type: expect_column_pair_values_a_to_be_greater_than_b
    kwargs: {column_A: temp_c, column_B: return_c, ignore_row_if: either_value_is_missing}
    severity: warning
    meta: {dimension: 一致性, message: 供温不高于回温, remedy: 请核对测点, basis: 供热常识}
  - id: temp_operating
    type: expect_column_values_to_be_between
    kwargs: {column: temp_c, min_value: 30, max_value: 120}
    severity: info
    meta: {dimension: 准确性, message: 供温偏离运行区间, remedy: 请关注, basis: 运行规程}
"""

STREAM_SERVERS = "servers: [{server: telemetry, type: kafka, host: 'kafka:9092'}, {server: collector, type: api, location: 'https://collector/v1'}]\n"
STREAM_PROPERTIES = """  - {property: stream, value: {event_time: read_at, device: station}}
  - {property: write, value: {mode: append, duplicates: drop}}
"""


def stream_contract(id_: str, fields: str = STATION_FIELDS, properties: str = STREAM_PROPERTIES) -> str:
    """The same for readings that come one by one."""
    return contract(id_, fields, properties).replace("schema:\n", STREAM_SERVERS + "schema:\n", 1)
