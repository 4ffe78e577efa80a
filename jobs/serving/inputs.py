"""Which characters URLs and forms may hold: only those that databases and files can store."""

from typing import Annotated

from fastapi import Query

MOST_PAGE = 100_000
PageNumber = Annotated[int, Query(alias="page", ge=1, le=MOST_PAGE)]


def is_storable(text: str) -> bool:
    """Whether a database can store the text: no NUL and no lone surrogate."""
    return "\x00" not in text and text.encode(errors="replace").decode() == text
