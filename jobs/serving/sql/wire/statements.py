"""What a connection's statements give: queries, cursors, transactions, and what a server says of itself."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property

import pyarrow as pa

from jobs.errors import Unknown, UserError
from jobs.serving.sql.answer import Run
from jobs.serving.sql.engine import Parameters
from jobs.serving.sql.gate import MOST_CHARS
from jobs.serving.sql.logins import Logins, Session
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.stopping import Stop
from jobs.serving.sql.wire.catalogue import Catalogue, is_of_catalogue
from jobs.serving.sql.wire.parameters import column_types, wanted_types
from jobs.serving.sql.wire.pg_tables import server_settings

MOST_CURSORS = 50
BLANK = " \t\r\n;"
SETTING = re.compile(
    r"\s*(set|reset|begin|start\s+transaction|commit|end|rollback|abort|savepoint|release|discard|deallocate|unlisten|close)\b",
    re.I,
)
LEADING = re.compile(
    r"\s*((?:set|begin|start\s+transaction|savepoint|release|commit|close)\b[^;'\"]*(?:'[^']*'[^;'\"]*)*);", re.I
)
TRAILING = re.compile(r"declare\b.*?(;\s*fetch\b[^;']*)", re.I | re.S)
"""Statements before a query, and behind a cursor, in one message, as ODBC sends them."""
SHOWN = re.compile(r"show\s+(\w[\w. ]*)", re.I)
SPELLINGS = {"transaction isolation level": "transaction_isolation", "time zone": "timezone"}
DECLARE = re.compile(
    r"declare\s+(\"[^\"]+\"|\w+)\s+(?:(?:binary|insensitive|asensitive|no\s+scroll|scroll)\s+)*cursor\s+"
    r"((?:with|without)\s+hold\s+)?for\s+((?!declare\b|fetch\b).+)",
    re.I | re.S,
)
FETCH = re.compile(
    r"(fetch|move)\s+(?:(next|forward\s+all|forward(?:\s+\d+)?|all|\d+)\s+)?(?:from\s+|in\s+)?(\"[^\"]+\"|\w+)", re.I
)
CLOSE = re.compile(r"close\s+(\"[^\"]+\"|\w+)", re.I)
ENDS = ("COMMIT", "END", "ROLLBACK", "ABORT")
TO_SAVEPOINT = re.compile(r"\bto\b", re.I)
ASSIGNED = re.compile(r"set\s+(?:session\s+)?([\w.]+)\s*(?:=|to)\s*'?([^';]*)'?", re.I)
PARAMETER = re.compile(r"\$(\d{1,3})(?!\w)")


@dataclass
class Statement:
    """A prepared statement: its text, the types that the client gave its parameters, and those that it shows itself."""

    sql: str
    oids: list[int]
    wanted: Mapping[int, int] = field(default_factory=dict)

    def parameter_oids(self) -> list[int]:
        """The type of each parameter; 0 where it is not known."""
        count = max((int(n) for n in PARAMETER.findall(self.sql)), default=0)
        given = [*self.oids, *([0] * count)][: max(count, len(self.oids))]
        return [oid or self.wanted.get(number, 0) for number, oid in enumerate(given, 1)]


@dataclass
class Outcome:
    """What a statement gives: rows, or only a tag; `at` is the first row that was not sent."""

    tag: str
    table: pa.Table | None = None
    notices: tuple[str, ...] = ()
    at: int = 0
    until: datetime | None = None
    """When the grant ends by which the rows are read; None where they need none."""


@dataclass
class Cursor:
    """A declared cursor; one without hold ends with its transaction."""

    outcome: Outcome
    is_held: bool


@dataclass
class Statements:
    """The statements of one connection, and what they leave behind."""

    service: SqlService
    logins: Logins
    login: Session
    in_transaction: bool = False
    _cursors: dict[str, Cursor] = field(default_factory=dict)
    _settings: dict[str, str] = field(default_factory=dict)
    _stop: Stop | None = None

    def cancel(self) -> None:
        """Stop the query that runs now."""
        if self._stop is not None:
            self._stop.cancel()

    def prepared(self, sql: str, oids: list[int]) -> Statement:
        """The statement with the types of its parameters; where the client gave none, as columns show them."""
        statement = Statement(_checked(sql), oids)
        if PARAMETER.search(sql) and not all(statement.parameter_oids()):
            statement.wanted = wanted_types(_inner(sql), column_types(self.service, self.login.account.actor()))
        return statement

    def parts(self, sql: str) -> list[str]:
        """The statements of one message: settings before a query, or a cursor and what is fetched from it, are apart."""
        parts, sql = [], _checked(sql).strip(BLANK)
        while (head := LEADING.match(sql)) and sql[head.end() :].strip(BLANK):
            parts.append(head[1])
            sql = sql[head.end() :]
        if tail := TRAILING.fullmatch(sql):
            return [*parts, sql[: tail.start(1)], tail[1].lstrip("; ")]
        return [*parts, sql]

    def cursor(self, name: str) -> Outcome | None:
        """What a declared cursor gives."""
        found = self._cursors.get(name)
        return found.outcome if found else None

    def outcome(self, statement: Statement, parameters: Sequence[object], is_described: bool = False) -> Outcome:
        """Run the statement; where it is only described, the rows are none."""
        self.logins.check(self.login)
        sql = statement.sql.strip(BLANK)
        if found := DECLARE.fullmatch(sql):
            return Outcome("") if is_described else self._declare(found, statement, parameters)
        if found := FETCH.fullmatch(sql):
            return self._fetch(found, is_described)
        if setting := SETTING.match(sql):
            return Outcome("") if is_described else self._set(setting[1].upper(), sql)
        if (shown := SHOWN.fullmatch(sql)) and (value := self._setting(shown[1].lower())) is not None:
            return Outcome("SHOW", pa.table({_name(shown[1].lower()): [value]}))
        if is_of_catalogue(sql):
            return Outcome("SELECT", self._catalogue.rows(sql, parameters))
        return self._asked(sql, parameters, is_described)

    def _asked(self, sql: str, parameters: Parameters, is_described: bool) -> Outcome:
        actor = self.login.account.actor()
        if is_described:
            return Outcome("", self.service.described(actor, sql, "wire", parameters).table)
        self._stop = Stop()
        try:
            answer = self.service.ask(actor, sql, "wire", parameters, self._run())
        finally:
            self._stop = None
        return Outcome("SELECT", answer.table, answer.notices(), until=answer.grade.until)

    def _run(self) -> Run:
        return Run(stop=self._stop, is_large=self._settings.get("lake.large", "").lower() in ("on", "true", "1"))

    def _declare(self, found: re.Match[str], statement: Statement, parameters: Sequence[object]) -> Outcome:
        if len(self._cursors) >= MOST_CURSORS:
            raise UserError(f"more than {MOST_CURSORS} cursors; close some / 游标太多，请先关闭")
        outcome = self.outcome(replace(statement, sql=found[3]), parameters)
        self._cursors[_name(found[1])] = Cursor(outcome, (found[2] or "").lower().startswith("with "))
        return Outcome("DECLARE CURSOR", notices=outcome.notices)

    def _fetch(self, found: re.Match[str], is_described: bool) -> Outcome:
        outcome = self.cursor(_name(found[3]))
        if outcome is None or outcome.table is None:
            raise Unknown(f"no cursor {found[3][:60]} / 没有这个游标")
        amount = (found[2] or "next").lower().removeprefix("forward").strip() or "next"
        most = outcome.table.num_rows if amount == "all" else 1 if amount == "next" else int(amount)
        if is_described:
            return Outcome("", outcome.table.slice(0, 0))
        self.check_grant(outcome)
        rows = outcome.table.slice(outcome.at, most)
        outcome.at += rows.num_rows
        if found[1].lower() == "move":
            return Outcome(f"MOVE {rows.num_rows}")
        return Outcome("FETCH", rows)

    def check_grant(self, outcome: Outcome) -> None:
        """UserError where the grant has ended since by which the rows are read."""
        self.service.check_grant(outcome.until)

    def _set(self, word: str, sql: str) -> Outcome:
        """Settings and transactions change nothing in the lake: all queries only read."""
        if word in ("BEGIN", "START TRANSACTION"):
            self.in_transaction = True
        elif word in ENDS and not TO_SAVEPOINT.search(sql):
            self.in_transaction = False
            self._cursors = {name: cursor for name, cursor in self._cursors.items() if cursor.is_held}
        elif word == "CLOSE":
            return self._close(sql)
        elif assigned := ASSIGNED.fullmatch(sql):
            self._settings[assigned[1].lower()] = assigned[2].strip()
        return Outcome(" ".join(word.split()))

    def _close(self, sql: str) -> Outcome:
        found = CLOSE.fullmatch(sql)
        closed = _name(found[1]) if found else ""
        self._cursors = {name: c for name, c in self._cursors.items() if closed not in (name, "all")}
        return Outcome("CLOSE CURSOR")

    def _setting(self, words: str) -> str | None:
        name = SPELLINGS.get(words, words)
        if name == "timezone":
            return self.service.settings.timezone
        fixed = server_settings()
        return self._settings.get(name, fixed[name]) if name in fixed else None

    @cached_property
    def _catalogue(self) -> Catalogue:
        return Catalogue(self.service, self.login.account.actor())


def _inner(sql: str) -> str:
    found = DECLARE.fullmatch(sql.strip(BLANK))
    return found[3] if found else sql


def _checked(sql: str) -> str:
    """The statement; UserError where it is too long to be read."""
    if len(sql) > MOST_CHARS:
        raise UserError(f"the query is longer than {MOST_CHARS:,} characters / 查询太长")
    return sql


def _name(words: str) -> str:
    return words[1:-1] if words.startswith('"') else words.lower().replace(" ", "_")
