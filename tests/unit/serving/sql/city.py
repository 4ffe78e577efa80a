"""A lake on local files with persons in every kind of column, and those who ask."""

from pathlib import Path

import pyarrow as pa

from jobs.contracts import Registry
from jobs.lake.zones import Zone
from jobs.model.actor import Actor
from jobs.model.delivery import State
from tests.unit.lake.local_lake import DATASET, NOW, LocalLake, delivery, registry, rule_rows, verdict

ANALYST = Actor("analyst", "bureau", "周分析")
OWNER = Actor("approver", "market_regulation", "钱审核")
STRANGER = Actor("reporter", "ecology_environment", "吴填报")

TABLE = f"silver.{DATASET}"
PERSONS = ("王小明", "张三丰")
IDENTITIES = ("371502200003070014", "37158119991231002X")
PHONES = ("13806351234", "15963512345")
FOREIGN = "wqxjzk"
"""A word in a result about another department than the stranger's."""
SECRETS = (*PERSONS, *IDENTITIES, *PHONES)


def silver() -> pa.Table:
    return pa.table(
        {
            "uscc": ["91371500MA3C00001X", IDENTITIES[0]],
            "legal_rep_name": list(PERSONS),
            "legal_rep_id_no": list(IDENTITIES),
            "contact_phone": list(PHONES),
            "capital_cny": [100.5, float(PHONES[0])],
            "remark": [f"电话 {PHONES[0]}", "良好"],
            "_marks": [[f"致电{PHONES[1]}"], None],
            "beyond": list(PERSONS),
        }
    )


def asked_lake(root: Path) -> tuple[LocalLake, Registry]:
    """Silver in two versions, quarantine, and results about two departments."""
    lake, cat = LocalLake(root), registry()
    lake.delta.put(lake.path(Zone.SILVER, DATASET), silver().slice(0, 1))
    lake.delta.put(lake.path(Zone.SILVER, DATASET), silver().slice(1, 1))
    other = pa.table({"capital_cny": [1.0, 2.0, 3.0], "remark": ["甲", "乙", "丙"]})
    lake.delta.put(lake.path(Zone.SILVER, "air_quality_hourly"), other)
    quarantined = {"_delivery": ["d-1"], "_file": ["a.csv"], "_row": [7], "raw": [f'{{"name": "{PERSONS[0]}"}}']}
    lake.delta.put(
        lake.path(Zone.QUARANTINE, DATASET),
        pa.table({**quarantined, "reasons": [["uscc_pattern"]], "_received_date": [NOW.date()]}),
    )
    for seq, contract in enumerate(cat.sources(), 1):
        entry = delivery(seq, contract, State.ACCEPTED)
        reason = FOREIGN if contract.id == DATASET else ""
        lake.results().write(verdict(entry, reason=reason), rule_rows(verdict(entry), cat, {}))
    return lake, cat
