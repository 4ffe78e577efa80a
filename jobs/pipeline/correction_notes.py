"""What a department wrote into its workbook, said on the ticket: what was done about each problem, and why not where nothing was."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from jobs.collaboration import Tickets
from jobs.errors import Unknown
from jobs.ingest.correction_answers import CorrectionNote, correction_notes
from jobs.lake.lake import Lake
from jobs.model.actor import Actor
from jobs.model.delivery import Delivery

SHOWN = 20
WITHOUT = "（未选择方式）"


def comment_correction_notes(lake: Lake, tickets: Tickets, delivery: Delivery, now: datetime) -> None:
    """A comment of the sender on each ticket that the workbook answers; once a delivery, nothing where nothing was filled in."""
    notes = _notes_of(lake, delivery) if delivery.answers else []
    if not notes:
        return
    sender = Actor("reporter", delivery.provider, delivery.sender or "（未署名）")
    begin = f"批次 {delivery.id} 随整改包填写："
    for ticket in delivery.answers:
        try:
            said = [text for _, text in tickets.comments(ticket, sender)]
        except Unknown:
            continue
        if not any(text.startswith(begin) for text in said):
            tickets.commented(ticket, sender, begin + _text(notes), now)


def _notes_of(lake: Lake, delivery: Delivery) -> list[CorrectionNote]:
    """What was filled in, where the delivery is one workbook."""
    if len(delivery.objects) != 1 or not delivery.objects[0].lower().endswith(".xlsx"):
        return []
    with TemporaryDirectory(prefix="lake-workbook-") as folder:
        file = Path(folder) / "workbook.xlsx"
        lake.store.get_file(delivery.objects[0], file)
        return list(correction_notes(file))


def _text(found: Sequence[CorrectionNote]) -> str:
    """How many problems were handled in each way, and the words of the first ones."""
    ways = Counter(one.way or WITHOUT for one in found)
    counts = "，".join(f"{way} {number} 条" for way, number in ways.items())
    explained = [one for one in found if one.words]
    lines = [f"第 {one.number} 条（{one.key}）{one.way}：{one.words}" for one in explained[:SHOWN]]
    if len(explained) > SHOWN:
        lines.append(f"另有 {len(explained) - SHOWN} 条说明，见整改包")
    return "\n".join([counts, *lines])
