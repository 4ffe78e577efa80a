"""Columns of records that each name their own cells: a record's field is in one column, whichever of its headers names it.

`{"站点": …}` and `{"station": …}` in one file are two names of one field; each record is matched by itself.
"""

from collections.abc import Iterable, Mapping, Sequence

from jobs.contracts import Field
from jobs.ingest.columns import MOST_COLUMNS
from jobs.ingest.headers import header_key, match
from jobs.ingest.notes import FileNotes
from jobs.ingest.wordings import wording

MOST_SHAPES = 1_000
"""Tuples of keys whose columns are kept."""
Keys = tuple[str, ...]


class RecordColumns:
    """The header of all records, and for each record the key of its cell in each column."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self._fields = tuple(field for field in fields if field.source.position is None)
        self._has_positions = len(self._fields) < len(fields)
        self._headers = {header_key(name) for field in self._fields for name in field.accepted_headers()}
        self._is_known: dict[str, bool] = {}
        self._matched: dict[Keys, Mapping[str, str]] = {}
        self._keys: dict[Keys, Sequence[str | None]] = {}
        self._slots: tuple[str, ...] = ()
        self.header: tuple[str, ...] = ()

    @classmethod
    def of(cls, records: Iterable[Iterable[str]], fields: Sequence[Field], notes: FileNotes) -> "RecordColumns":
        """The columns of records, given by their keys; DeliveryError where these are too many."""
        columns = cls(fields)
        names: dict[str, None] = {}
        for record in records:
            keys = tuple(record)
            names.update(dict.fromkeys(keys))
            columns._is_known.update(
                (key, header_key(key) in columns._headers) for key in keys if key not in columns._is_known
            )
            if len(names) > MOST_COLUMNS:
                raise notes.error(wording("too_many_names", most=MOST_COLUMNS))
            columns._match(keys)
        columns._lay_out(tuple(names))
        return columns

    def keys(self, record: Iterable[str]) -> Sequence[str | None]:
        """The record's key of each column; None where it has none."""
        if not self._slots:
            return self.header
        own = tuple(record)
        if own not in self._keys:
            if len(self._keys) == MOST_SHAPES:
                self._keys.clear()
            places, columns = self._match(own), self.header[len(self._slots) :]
            others = set(own) - set(places.values())
            self._keys[own] = (*map(places.get, self._slots), *(name if name in others else None for name in columns))
        return self._keys[own]

    def _match(self, record: Keys) -> Mapping[str, str]:
        """Field → key of a record."""
        known = tuple(key for key in record if self._is_known[key])
        if known not in self._matched:
            self._matched[known] = _named(known, self._fields)
        return self._matched[known]

    def _lay_out(self, names: Keys) -> None:
        """The header: all keys as they came; where records name one field differently, first a column for each field."""
        self.header, together = names, _named(names, self._fields)
        records = list(self._matched.values())
        if self._has_positions or all(together.items() >= named.items() for named in records):
            return
        used = set().union(*records)
        slots = [field for field in self._fields if field.name in used]
        self._slots = tuple(field.name for field in slots)
        extras = set(names) - self._only_of_fields()
        self.header = (*(field.headers()[0] for field in slots), *(name for name in names if name in extras))

    def _only_of_fields(self) -> set[str]:
        """The keys that name a field in every record that has them."""
        of_fields = {key for named in self._matched.values() for key in named.values()}
        return of_fields - {
            key for keys, named in self._matched.items() for key in set(keys).difference(named.values())
        }


def _named(keys: Keys, fields: Sequence[Field]) -> Mapping[str, str]:
    """Field → the one of the keys that names it."""
    return {name: keys[place] for name, place in match(keys, len(keys), fields).places.items()}
