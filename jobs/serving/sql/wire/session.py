"""One connection: queries in the simple and the extended form, until the client ends it."""

import logging
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from zoneinfo import ZoneInfo

import pyarrow as pa

from jobs.errors import LakeError, NotAllowed, ServiceUnavailable, Unknown
from jobs.serving.accounts import LoginRefused
from jobs.serving.sql.engine import Parameters
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.wire import values
from jobs.serving.sql.wire.catalogue import Catalogue, is_of_catalogue
from jobs.serving.sql.wire.login import Logins, Session
from jobs.serving.sql.wire.messages import Connection, ProtocolError, Reader, format_at, formats, int16, int32, text

logger = logging.getLogger(__name__)
MOST_KEPT = 500
"""Prepared statements, or portals, of one connection."""
CODES: tuple[tuple[type[Exception], str], ...] = (
    (LoginRefused, "28000"),
    (NotAllowed, "42501"),
    (Unknown, "42P01"),
    (ServiceUnavailable, "58000"),
    (LakeError, "42000"),
)
SETTING = re.compile(
    r"\s*(set|reset|begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|discard|deallocate|close|unlisten)\b",
    re.I,
)
SHOWN = re.compile(r"\s*show\s+([\w ]+?)\s*;?\s*", re.I)
SHOWN_VALUES = {
    "transaction isolation level": "read committed",
    "transaction_isolation": "read committed",
    "transaction_read_only": "on",
    "standard_conforming_strings": "on",
    "server_version": "16.0",
    "server_encoding": "UTF8",
    "client_encoding": "UTF8",
    "search_path": "silver, gold",
    "timezone": "",
}  # fmt: skip
PARAMETER = re.compile(r"\$(\d{1,3})(?!\w)")


@dataclass
class Statement:
    """A prepared statement: its text, and the types that the client gave its parameters."""

    sql: str
    oids: list[int]


@dataclass
class Outcome:
    """What a statement gives: rows, or only a tag; `at` is the first row that was not sent."""

    tag: str
    table: pa.Table | None = None
    notices: tuple[str, ...] = ()
    at: int = 0


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
    _statements: dict[str, Statement] = field(default_factory=dict)
    _portals: dict[str, Portal] = field(default_factory=dict)
    _skips: bool = False
    _in_transaction: bool = False

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

    def _greet(self) -> None:
        zone = self.service.settings.timezone
        shown = {"server_version": "16.0", "server_encoding": "UTF8", "client_encoding": "UTF8", "TimeZone": zone}
        shown |= {"DateStyle": "ISO, YMD", "integer_datetimes": "on", "standard_conforming_strings": "on"}
        shown |= {"default_transaction_read_only": "on", "session_authorization": self.login.account.name}
        self.connection.write("R", int32(0))
        for name, value in shown.items():
            self.connection.write("S", text(name), text(value))
        self.connection.write("K", int32(secrets.randbelow(2**31)), secrets.token_bytes(4))
        self._ready()

    def _ready(self) -> None:
        self.connection.ready("T" if self._in_transaction else "I")

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
        outcome = self._outcome(Statement(sql, []), [])
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
        if len(self._statements) >= MOST_KEPT:
            raise ProtocolError("too many prepared statements")
        self._statements[name] = Statement(sql, [reader.int32() for _ in range(reader.int16())])
        self.connection.write("1")

    def _bind(self, reader: Reader) -> None:
        name, statement = reader.text(), self._statement(reader.text())
        listed = formats(reader)
        raws = [reader.value() for _ in range(reader.int16())]
        oids = [*statement.oids, *([0] * len(raws))]
        given = [values.parameter(raw, oids[n], format_at(listed, n)) for n, raw in enumerate(raws)]
        if len(self._portals) >= MOST_KEPT:
            raise ProtocolError("too many portals")
        self._portals[name] = Portal(statement, given, formats(reader))
        self.connection.write("2")

    def _describe(self, reader: Reader) -> None:
        kind, name = reader.take(1), reader.text()
        if kind == b"S":
            statement = self._statement(name)
            count = max((int(n) for n in PARAMETER.findall(statement.sql)), default=0)
            oids = [oid or values.TEXT for oid in [*statement.oids, *([0] * count)][: max(count, len(statement.oids))]]
            self.connection.write("t", int16(len(oids)), *(int32(oid) for oid in oids))
            outcome = self._outcome(statement, [None] * len(oids), is_described=True)
            listed: list[int] = []
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
            self._statements.pop(name, None)
        else:
            self._portals.pop(name, None)
        self.connection.write("3")

    def _statement(self, name: str) -> Statement:
        if name not in self._statements:
            raise Unknown(f"no prepared statement '{name[:60]}'")
        return self._statements[name]

    def _portal(self, name: str) -> Portal:
        if name not in self._portals:
            raise Unknown(f"no portal '{name[:60]}'")
        return self._portals[name]

    def _of_portal(self, portal: Portal) -> Outcome:
        if portal.outcome is None:
            portal.outcome = self._outcome(portal.statement, portal.parameters)
        return portal.outcome

    def _outcome(self, statement: Statement, parameters: Sequence[object], is_described: bool = False) -> Outcome:
        """Run the statement; where it is only described, the rows are none."""
        self.logins.check(self.login)
        sql = statement.sql
        if setting := SETTING.match(sql):
            return self._set(setting[1].upper())
        if (shown := SHOWN.fullmatch(sql)) and shown[1].lower() in SHOWN_VALUES:
            value = SHOWN_VALUES[shown[1].lower()] or self.service.settings.timezone
            return Outcome("SHOW", pa.table({shown[1].lower().replace(" ", "_"): [value]}))
        if is_of_catalogue(sql):
            return _rows(self._catalogue.rows(sql, parameters))
        return self._asked(sql, parameters, is_described)

    def _asked(self, sql: str, parameters: Parameters, is_described: bool) -> Outcome:
        actor = self.login.account.actor()
        if is_described:
            return Outcome("", self.service.described(actor, sql, parameters))
        answer = self.service.ask(actor, sql, "wire", parameters)
        cut = (f"只返回前 {answer.table.num_rows:,} 行",) if answer.is_cut else ()
        return _rows(answer.table, (answer.grade.notice() + f"。查询编号 {answer.id}", *cut))

    def _set(self, word: str) -> Outcome:
        """Settings and transactions change nothing: all queries only read."""
        if word in ("BEGIN", "START TRANSACTION"):
            self._in_transaction = True
        elif word in ("COMMIT", "END", "ROLLBACK", "ABORT"):
            self._in_transaction = False
        return Outcome(" ".join(word.split()))

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(self.service, self.login.account.actor())

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
        if outcome.table is None:
            self.connection.write("C", text(outcome.tag))
            return
        for notice in outcome.notices if outcome.at == 0 else ():
            self.connection.report("N", "NOTICE", "00000", notice)
        table = outcome.table.slice(outcome.at, most or None)
        head = int16(table.num_columns)
        for row in values.rows(table, listed, ZoneInfo(self.service.settings.timezone)):
            self.connection.write("D", head, row)
        outcome.at += table.num_rows
        if outcome.at < outcome.table.num_rows:
            self.connection.write("s")
        else:
            self.connection.write("C", text(f"{outcome.tag} {outcome.table.num_rows}"))


def _rows(table: pa.Table, notices: tuple[str, ...] = ()) -> Outcome:
    return Outcome("SELECT", table, notices)
