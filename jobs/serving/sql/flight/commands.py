"""What a client asks for: a statement, or something about tables; what would change something is refused with the reason."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from jobs.errors import PolicyRefusal
from jobs.serving.sql.flight import catalogue
from jobs.serving.sql.flight.login import Owner
from jobs.serving.sql.flight.messages import UnknownMessage, unpacked
from jobs.serving.sql.flight.statements import Statements, checked

CHANGES = ("Update", "Ingest", "Begin", "End", "Substrait")
"""What names of commands and actions that change something, or are no SQL, contain."""


class OnlyReads(PolicyRefusal):
    """A change, which this service never makes."""

    def __init__(self) -> None:
        super().__init__(
            "the service only reads SQL: no updates, ingestion, transactions or Substrait plans / 本服务只接受只读 SQL，不接受写入、事务和 Substrait"
        )


@dataclass(frozen=True)
class Asked:
    """A statement with the values of its parameters, or a command about tables."""

    name: str
    command: Any
    sql: str = ""
    values: Sequence[object] = ()

    @property
    def is_about_tables(self) -> bool:
        return self.name in catalogue.COMMANDS


def asked(data: bytes | None, statements: Statements, owner: Owner) -> Asked:
    """What the command asks for; UserError for anything else, and for another account's statement."""
    name, command = known(data)
    if name in catalogue.COMMANDS:
        return Asked(name, command)
    if name == "CommandStatementQuery":
        return Asked(name, command, sql_of(command))
    if name == "CommandPreparedStatementQuery":
        statement = statements.of(command.prepared_statement_handle, owner)
        return Asked(name, command, statement.sql, statement.values)
    raise UnknownMessage(name)


def known(data: bytes | None) -> tuple[str, Any]:
    """Name and fields of a command; OnlyReads for one that changes something, UnknownMessage for another unknown one."""
    try:
        return unpacked(data or b"")
    except UnknownMessage as error:
        raise refused(error.name) from None


def refused(name: str) -> PolicyRefusal | UnknownMessage:
    """Why a command or an action is not accepted."""
    return OnlyReads() if any(word in name for word in CHANGES) else UnknownMessage(name)


def sql_of(request: Any) -> str:
    """The statement of a request; OnlyReads within a transaction."""
    if request.transaction_id:
        raise OnlyReads()
    return checked(str(request.query))
