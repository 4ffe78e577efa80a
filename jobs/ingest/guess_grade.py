"""The grade that a column of a new file seems to need, by its values, else by its header."""

from collections import Counter

from jobs.access.recognisers import recognise
from jobs.contracts.grades import OPEN, SENSITIVE
from jobs.ingest.header_words import PERSONAL_HEADER
from jobs.ingest.wordings import wording


def guess_grade(header: str, values: Counter[str]) -> tuple[str, str]:
    """The grade that values or header speak for, with the reason; empty where they speak for none above the lowest."""
    recognition = recognise(header, values)
    if recognition is not None and recognition.grade != OPEN:
        return recognition.grade, recognition.words()
    return (SENSITIVE, wording("personal_header")) if PERSONAL_HEADER.search(header) else ("", "")
