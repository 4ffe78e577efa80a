"""The card of a training set in the terms of Croissant (MLCommons, 1.0), for tools that load training data."""

import json
from collections.abc import Mapping
from typing import Any

from jobs.catalogue.registers import Certificate, RegisterItem, Selection
from jobs.contracts import Contract, Field

CONTEXT: Mapping[str, Any] = {
    "@language": "zh",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
TYPES: Mapping[str, str] = {
    "integer": "sc:Integer",
    "number": "sc:Float",
    "decimal": "sc:Float",
    "boolean": "sc:Boolean",
    "date": "sc:Date",
    "timestamp": "sc:DateTime",
}
FILE, ROWS = "rows.jsonl", "rows"


def card(item: RegisterItem, contract: Contract, published: tuple[int, str], address: str) -> str:
    """The card as JSON-LD. `published`: number of the version and its day, YYYY-MM-DD; `address`: of the item's page.

    The rows themselves are at that address for those who may read them; their digest is of JSON lines in order of their text.
    """
    selection, certificate = item.selection, item.certificate
    if selection is None or certificate is None:
        raise ValueError(f"{item.id} is no set of rows")
    number, day = published
    found = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": item.id,
        "alternateName": item.title,
        "description": _description(item, selection, certificate),
        "url": address,
        "license": item.facts.get("licence", ""),
        "version": f"{number}.0.0",
        "datePublished": day,
        "creator": {"@type": "sc:Organization", "name": contract.department or item.provider},
        "citeAs": f"{item.id} {item.title}，第 {number} 版，{day}",
        "isLiveDataset": False,
        "rai:personalSensitiveInformation": item.facts.get("consent_basis", "") or f"最高分级 {certificate.grade}",
        "distribution": [_file(f"{address}/{FILE}", certificate)],
        "recordSet": [_record_set(contract, selection)],
    }
    return json.dumps(found, ensure_ascii=False, indent=2)


def _description(item: RegisterItem, selection: Selection, certificate: Certificate) -> str:
    scored = certificate.score is not None
    quality = f"；最近一批质量得分 {certificate.score:.1f}（{certificate.scored_delivery}）" if scored else ""
    about = f"取自 {selection.dataset} 第 {selection.version} 版；条件：{selection.condition or '无'}；{certificate.rows} 行"
    return f"{item.facts.get('purpose', '')}。{about}；最高分级 {certificate.grade}{quality}"


def _file(address: str, certificate: Certificate) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": FILE,
        "name": FILE,
        "contentUrl": address,
        "encodingFormat": "application/jsonlines",
        "sha256": certificate.digest,
    }


def _record_set(contract: Contract, selection: Selection) -> dict[str, Any]:
    fields = [_field(contract.field(name)) for name in selection.columns]
    return {"@type": "cr:RecordSet", "@id": ROWS, "name": ROWS, "description": contract.title, "field": fields}


def _field(field: Field) -> dict[str, Any]:
    unit = f"，单位 {field.unit}" if field.unit else ""
    return {
        "@type": "cr:Field",
        "@id": f"{ROWS}/{field.name}",
        "name": field.name,
        "description": f"{field.title}{unit}（{field.classification}）",
        "dataType": TYPES.get(field.type, "sc:Text"),
        "source": {"fileObject": {"@id": FILE}, "extract": {"jsonPath": f"$.{field.name}"}},
    }
