"""What addresses and forms may hold, so that nothing goes further that no database or file could keep."""

from typing import Annotated

from fastapi import Query

MOST_PAGE = 100_000
PageNumber = Annotated[int, Query(alias="page", ge=1, le=MOST_PAGE)]


def is_storable(text: str) -> bool:
    """Whether a database keeps the text: no NUL, and no half of a character."""
    return "\x00" not in text and text.encode(errors="replace").decode() == text
