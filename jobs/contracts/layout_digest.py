"""What of a contract decides how a file is read: rows in bronze are as good as the layout that read them."""

import hashlib

from jobs.contracts.model import Contract, Field


def layout_digest(contract: Contract) -> str:
    """A digest of the layout, and of the column and format of each field."""
    fields = [_place(field) for field in contract.fields if not field.is_computed()]
    return hashlib.sha256(repr((contract.layout, fields)).encode()).hexdigest()


def _place(field: Field) -> tuple[object, ...]:
    source = field.source
    names = (field.name, field.title, field.headers(), source.position)
    texts = (field.type, source.formats, source.decimal, source.timezone, source.missing)
    return (*names, *texts, field.required, field.key_position)
