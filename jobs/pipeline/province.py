"""Exchange of the catalogue with the province: the published entries in its form, a file of its side compared, its codes adopted."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jobs.catalogue.list_tables import ListTables, list_tables
from jobs.catalogue.province.comparison import CodeOffer, reconcile
from jobs.catalogue.province.extract import extract, is_heading
from jobs.catalogue.province.form import form
from jobs.catalogue.province.json_extract import json_tables
from jobs.catalogue.province.resources import Address, Publication, Resource, as_document, as_tables, resource
from jobs.catalogue.province.result import Result, result
from jobs.catalogue.search import normal
from jobs.collaboration import Tickets
from jobs.contracts import Registry
from jobs.contracts.place import place
from jobs.errors import Unknown, UserError
from jobs.ingest.sheets import read_sheets
from jobs.model.actor import Actor
from jobs.pipeline.catalogue import Imported, Record, propose, record, records
from jobs.reporting.table_workbook import MEDIA as XLSX
from jobs.reporting.table_workbook import table_workbook
from jobs.settings import Settings

MOST_JSON_BYTES = 16 << 20
JSON = "application/json"
PORTAL = "http://127.0.0.1"
Act = tuple[Actor, datetime]


def published(registry: Registry, known: Sequence[Record], settings: Settings) -> tuple[Resource, ...]:
    """The published entries in the province's form, by department and id."""
    address = Address(settings.bureau or place().bureau, settings.portal_url or PORTAL)
    found = []
    for one in sorted(known, key=lambda one: (one.entry.provider, one.entry.id)):
        attributes = one.attributes()
        if attributes is not None:
            newest = one.versions[-1]
            day = f"{newest.at.astimezone(ZoneInfo(settings.timezone)):%Y-%m-%d}"
            publication = Publication(attributes, newest.version, day)
            found.append(resource(one.entry, registry.contract(one.entry.id), publication, address))
    return tuple(found)


def form_file(found: Sequence[Resource], ending: str) -> tuple[bytes, str]:
    """Bytes and media type of the form as xlsx or json; Unknown for another ending."""
    if ending == "xlsx":
        return table_workbook(as_tables(tuple(found))), XLSX
    if ending == "json":
        return _json(as_document(tuple(found))), JSON
    raise Unknown(f"没有 {ending} 格式；可以是：xlsx、json")


def result_file(found: Result, ending: str) -> tuple[bytes, str]:
    """Bytes and media type of a reconciliation as xlsx or json; Unknown for another ending."""
    if ending == "xlsx":
        return table_workbook(found.text_tables()), XLSX
    if ending == "json":
        return _json(found.document()), JSON
    raise Unknown(f"没有 {ending} 格式；可以是：xlsx、json")


def reconcile_file(registry: Registry, tickets: Tickets, settings: Settings, file: Path, act: Act) -> Result:
    """A file of the province, xlsx or JSON, against the published entries; UserError where it is neither."""
    actor, at = act
    known = records(registry, tickets, at)
    departments = dict.fromkeys((one.entry.provider, one.entry.department) for one in known)
    read = extract(_tables(file), departments)
    found = reconcile(published(registry, known, settings), read)
    hints = {one.place: _hint(one, known) for one in found.only_there}
    return result(found, (file.name, at.isoformat(), actor.name), hints)


def adopt_codes(registry: Registry, tickets: Tickets, offers: Iterable[CodeOffer], act: Act) -> tuple[Imported, ...]:
    """Drafts of the entries with the codes that the province gave; what else an open draft says stays."""
    outcomes = []
    for offer in offers:
        earlier = record(registry, tickets, offer.dataset, act[1]).proposed()
        stated = (earlier.model_dump() if earlier else {}) | {"code": offer.code}
        ticket, reason, lacking = "", "", list[str]()
        try:
            ticket = propose(registry, tickets, offer.dataset, stated, act)
            lacking = record(registry, tickets, offer.dataset, act[1]).shortcomings()
        except UserError as error:
            reason = str(error)
        outcomes.append(Imported(offer.place, offer.title, ticket, reason, tuple(lacking)))
    return tuple(outcomes)


def _tables(file: Path) -> ListTables:
    if file.suffix.lower() != ".json":
        found = list_tables(read_sheets(file), form().headers, is_heading)
        if not found.tables:
            title = form().columns["title"].title
            raise UserError(
                f"{file.name}: no list of resources found / 没有找到目录：须有一行表头，其中有「{title}」等列"
            )
        return found
    if file.stat().st_size > MOST_JSON_BYTES:
        raise UserError(f"{file.name}: more than {MOST_JSON_BYTES >> 20} MiB / 文件过大，请分部门导出")
    return json_tables(file.name, file.read_bytes())


def _hint(one: Resource, known: Sequence[Record]) -> str:
    """What our side has under the title, although it is not published or matched otherwise."""
    same = [r for r in known if normal(r.entry.title) == normal(one.title) and r.entry.provider == one.provider]
    if not same:
        return ""
    if same[0].versions:
        return f"同名目录 {same[0].entry.id} 已与另一条对应"
    return f"本市数据集 {same[0].entry.id} {same[0].state()}，未发布"


def _json(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, indent=1).encode()
