"""A department's notes in its workbook as a ticket comment: how each problem was handled, or why not."""

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
    """Comment as the sender on each ticket that the workbook answers, once per delivery; no comment without notes."""
    notes = _notes_of(lake, delivery) if delivery.answers else []
    if not notes:
        return
    sender = Actor("reporter", delivery.provider, delivery.sender or "（未署名）")
    begin = f"批次 {delivery.id} 随整改包填写："
    for ticket in delivery.answers:
        try:
            comments = [text for _, text in tickets.comments(ticket, sender)]
        except Unknown:
            continue
        if not any(text.startswith(begin) for text in comments):
            tickets.commented(ticket, sender, begin + _text(notes), now)


def _notes_of(lake: Lake, delivery: Delivery) -> list[CorrectionNote]:
    """The notes of a delivery that is one workbook; else none."""
    if len(delivery.objects) != 1 or not delivery.objects[0].lower().endswith(".xlsx"):
        return []
    with TemporaryDirectory(prefix="lake-workbook-") as folder:
        file = Path(folder) / "workbook.xlsx"
        lake.store.get_file(delivery.objects[0], file)
        return list(correction_notes(file))


def _text(notes: Sequence[CorrectionNote]) -> str:
    """Problems by how they were handled, and the explanations of the first ones."""
    ways = Counter(note.way or WITHOUT for note in notes)
    counts = "，".join(f"{way} {number} 条" for way, number in ways.items())
    explained = [note for note in notes if note.words]
    lines = [f"第 {note.number} 条（{note.key}）{note.way}：{note.words}" for note in explained[:SHOWN]]
    if len(explained) > SHOWN:
        lines.append(f"另有 {len(explained) - SHOWN} 条说明，见整改包")
    return "\n".join([counts, *lines])
