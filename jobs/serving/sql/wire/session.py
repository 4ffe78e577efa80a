"""One connection: queries in the simple and the extended form, until the client ends it."""

import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

import pyarrow as pa

from jobs.errors import LakeError, NotAllowed, ServiceUnavailable, Unknown
from jobs.serving.accounts import LoginRefused
from jobs.serving.sql.engine import MemoryExceeded, QueryStopped
from jobs.serving.sql.logins import Logins, Session
from jobs.serving.sql.service import SqlService, TooManyQueries
from jobs.serving.sql.wire import values
from jobs.serving.sql.wire.messages import Connection, ProtocolError, Reader, format_at, formats, int16, int32, text
from jobs.serving.sql.wire.parameters import parameter, unknown
from jobs.serving.sql.wire.statements import Outcome, Statement, Statements

MOST_KEPT = 500
"""Prepared statements, or portals, of one connection."""
VERSION = "15.0"
CODES: tuple[tuple[type[Exception], str], ...] = (
    (LoginRefused, "28000"),
    (NotAllowed, "42501"),
    (Unknown, "42P01"),
    (ServiceUnavailable, "58000"),
    (QueryStopped, "57014"),
    (MemoryExceeded, "53200"),
    (TooManyQueries, "53300"),
    (LakeError, "42000"),
)


@dataclass
class Portal:
    """A statement with values; it is run when it is first described or executed."""

    statement: Statement
    parameters: list[object]
    formats: list[int]
    outcome: Outcome | None = None


@dataclass
class Conversation:
    """The state of one connection after its login."""

    connection: Connection
    service: SqlService
    logins: Logins
    login: Session
    number: int = field(default_factory=lambda: secrets.randbelow(2**31))
    secret: bytes = field(default_factory=lambda: secrets.token_bytes(4))
    """With its number, what a client sends to cancel a query."""
    _prepared: dict[str, Statement] = field(default_factory=dict)
    _portals: dict[str, Portal] = field(default_factory=dict)
    _skips: bool = False

    def run(self) -> None:
        """Greet, then answer until the client ends the connection."""
        self._greet()
        while True:
            letter, reader = self.connection.read()
            if letter == "X":
                return
            if letter == "S":
                self._skips = False
                self._ready()
            elif letter == "Q":
                with self._reported():
                    self._query(reader.text())
                self._skips = False
                self._ready()
            elif letter == "H":
                self.connection.flush()
            elif not self._skips:
                with self._reported():
                    self._extended(letter, reader)

    def cancel(self) -> None:
        """Stop the query that runs now; called from another thread."""
        self._statements.cancel()

    @cached_property
    def _statements(self) -> Statements:
        return Statements(self.service, self.logins, self.login)

    def _greet(self) -> None:
        zone = self.service.settings.timezone
        shown = {"server_version": VERSION, "server_encoding": "UTF8", "client_encoding": "UTF8", "TimeZone": zone}
        shown |= {"DateStyle": "ISO, YMD", "integer_datetimes": "on", "standard_conforming_strings": "on"}
        shown |= {"default_transaction_read_only": "on", "session_authorization": self.login.account.name}
        self.connection.write("R", int32(0))
        for name, value in shown.items():
            self.connection.write("S", text(name), text(value))
        self.connection.write("K", int32(self.number), self.secret)
        self._ready()

    def _ready(self) -> None:
        self.connection.ready("T" if self._statements.in_transaction else "I")

    @contextmanager
    def _reported(self) -> Iterator[None]:
        """Errors are sent to the client, which may go on; after one, messages are skipped until it synchronises."""
        try:
            yield
        except LakeError as error:
            code = next(code for kind, code in CODES if isinstance(error, kind))
            self.connection.report("E", "ERROR", code, str(error))
            self._skips = True
            if isinstance(error, LoginRefused):
                self.connection.flush()
                raise EOFError from error

    def _query(self, sql: str) -> None:
        if not sql.strip(" \t\r\n;"):
            self.connection.write("I")
            return
        for part in self._statements.parts(sql):
            outcome = self._statements.outcome(Statement(part, []), [])
            if outcome.table is not None:
                self._describe_rows(outcome.table.schema, [])
            self._send(outcome, [], 0)

    def _extended(self, letter: str, reader: Reader) -> None:
        steps = {"P": self._parse, "B": self._bind, "D": self._describe, "E": self._execute, "C": self._close}
        if letter not in steps:
            raise ProtocolError(f"unknown message {letter!r}")
        steps[letter](reader)

    def _parse(self, reader: Reader) -> None:
        name, sql = reader.text(), reader.text()
        if len(self._prepared) >= MOST_KEPT:
            raise ProtocolError("too many prepared statements")
        self._prepared[name] = self._statements.prepared(sql, [reader.int32() for _ in range(reader.int16())])
        self.connection.write("1")

    def _bind(self, reader: Reader) -> None:
        name, statement = reader.text(), self._statement(reader.text())
        listed = formats(reader)
        raws = [reader.value() for _ in range(reader.int16())]
        given = [*statement.oids, *([0] * len(raws))]
        known = [*statement.parameter_oids(), *([0] * len(raws))]
        parameters = []
        for place, raw in enumerate(raws):
            format_ = format_at(listed, place)
            # As text, the engine itself reads what the client gave no type, lists apart.
            oid = known[place] if format_ or known[place] in values.ELEMENTS else given[place]
            parameters.append(parameter(raw, oid, format_))
        if len(self._portals) >= MOST_KEPT:
            raise ProtocolError("too many portals")
        self._portals[name] = Portal(statement, parameters, formats(reader))
        self.connection.write("2")

    def _describe(self, reader: Reader) -> None:
        kind, name = reader.take(1), reader.text()
        listed: list[int] = []
        if kind == b"S":
            statement = self._statement(name)
            oids = [oid or values.TEXT for oid in statement.parameter_oids()]
            self.connection.write("t", int16(len(oids)), *(int32(oid) for oid in oids))
            outcome = self._statements.outcome(statement, [unknown(oid) for oid in oids], is_described=True)
        elif declared := self._statements.cursor(name):
            outcome = declared
        else:
            portal = self._portal(name)
            outcome, listed = self._of_portal(portal), portal.formats
        if outcome.table is None:
            self.connection.write("n")
        else:
            self._describe_rows(outcome.table.schema, listed)

    def _execute(self, reader: Reader) -> None:
        portal, most = self._portal(reader.text()), reader.int32()
        if not portal.statement.sql.strip(" \t\r\n;"):
            self.connection.write("I")
            return
        self._send(self._of_portal(portal), portal.formats, most)

    def _close(self, reader: Reader) -> None:
        kind, name = reader.take(1), reader.text()
        if kind == b"S":
            self._prepared.pop(name, None)
        else:
            self._portals.pop(name, None)
        self.connection.write("3")

    def _statement(self, name: str) -> Statement:
        if name not in self._prepared:
            raise Unknown(f"no prepared statement '{name[:60]}'")
        return self._prepared[name]

    def _portal(self, name: str) -> Portal:
        if name not in self._portals:
            raise Unknown(f"no portal '{name[:60]}'")
        return self._portals[name]

    def _of_portal(self, portal: Portal) -> Outcome:
        if portal.outcome is None:
            portal.outcome = self._statements.outcome(portal.statement, portal.parameters)
        return portal.outcome

    def _describe_rows(self, schema: pa.Schema, listed: Sequence[int]) -> None:
        fields = []
        for place, column in enumerate(schema):
            oid = values.oid_of(column.type)
            size = int16(values.SIZES.get(oid, -1))
            kind = int32(oid) + size + int32(-1) + int16(format_at(listed, place))
            fields.append(text(column.name) + int32(0) + int16(0) + kind)
        self.connection.write("T", int16(len(fields)), *fields)

    def _send(self, outcome: Outcome, listed: Sequence[int], most: int) -> None:
        """Rows from where the last call ended, at most so many where `most` is not 0."""
        for notice in outcome.notices if outcome.at == 0 else ():
            self.connection.report("N", "NOTICE", "00000", notice)
        if outcome.table is None:
            self.connection.write("C", text(outcome.tag))
            return
        self._statements.check_grant(outcome)
        table = outcome.table.slice(outcome.at, most or None)
        head = int16(table.num_columns)
        for row in values.rows(table, listed, ZoneInfo(self.service.settings.timezone)):
            self.connection.write("D", head, row)
        outcome.at += table.num_rows
        if outcome.at < outcome.table.num_rows:
            self.connection.write("s")
        else:
            self.connection.write("C", text(f"{outcome.tag} {outcome.table.num_rows}"))
