"""Actions of Flight SQL: prepare and close statements, cancel queries, end a login."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from pyarrow import flight

from jobs.errors import LakeError
from jobs.serving.sql.flight import messages, schemas
from jobs.serving.sql.flight.answers import Answers
from jobs.serving.sql.flight.commands import refused, sql_of
from jobs.serving.sql.flight.login import Caller, Sessions
from jobs.serving.sql.flight.messages import packed, unpacked, written
from jobs.serving.sql.flight.statements import Statements, numbered, parameter_oids, parameter_schema, unknown_values
from jobs.serving.sql.service import SqlService

WAY = "flight"
CANCELLED, NOT_CANCELLABLE, CLOSED = 1, 3, 1


@dataclass(frozen=True)
class Actions:
    """The actions of one server."""

    service: SqlService
    sessions: Sessions
    statements: Statements
    answers: Answers

    def run(self, name: str, caller: Caller, body: bytes) -> list[bytes]:
        """The results of an action; UserError for one that is not accepted."""
        action = ACTIONS.get(name)
        if action is None:
            raise refused(name)
        return action(self, caller, body)

    def create_prepared(self, caller: Caller, body: bytes) -> list[bytes]:
        """Prepare a statement."""
        sql, _ = numbered(sql_of(_request("ActionCreatePreparedStatementRequest", body)))
        oids = parameter_oids(self.service, caller.owner, sql)
        try:
            answer = self.service.described(caller.actor, sql, WAY, unknown_values(oids))
            dataset = bytes(schemas.described_schema(answer).serialize())
        except LakeError:
            if not oids:  # a statement whose parameters have no values yet may be valid with them
                raise
            dataset = b""
        result = {"dataset_schema": dataset, "parameter_schema": bytes(parameter_schema(oids).serialize())}
        handle = self.statements.add(caller.owner, sql)
        return [packed("ActionCreatePreparedStatementResult", prepared_statement_handle=handle, **result)]

    def close_prepared(self, caller: Caller, body: bytes) -> list[bytes]:
        """Close a prepared statement."""
        request = _request("ActionClosePreparedStatementRequest", body)
        self.statements.close(request.prepared_statement_handle, caller.owner)
        return []

    def cancel_info(self, caller: Caller, body: bytes) -> list[bytes]:
        """Stop a query, or drop its answer."""
        status = self._cancelled(caller, messages.read("CancelFlightInfoRequest", body).info)
        return [written("CancelFlightInfoResult", status=status)]

    def cancel_query(self, caller: Caller, body: bytes) -> list[bytes]:
        """The same, as older clients ask."""
        status = self._cancelled(caller, _request("ActionCancelQueryRequest", body).info)
        return [packed("ActionCancelQueryResult", result=status)]

    def close_session(self, caller: Caller, body: bytes) -> list[bytes]:
        """End a login by password."""
        self.sessions.end(caller.token)
        return [written("CloseSessionResult", status=CLOSED)]

    def _cancelled(self, caller: Caller, data: bytes) -> int:
        try:
            endpoints = flight.FlightInfo.deserialize(data).endpoints
        except pa.ArrowException:
            raise messages.Malformed("no FlightInfo / 不是 FlightInfo") from None
        found = [unpacked(endpoint.ticket.ticket) for endpoint in endpoints]
        handles = [command.statement_handle for name, command in found if name == "TicketStatementQuery"]
        cancelled = [self.answers.cancel(handle, caller.owner) for handle in handles]
        return CANCELLED if cancelled and all(cancelled) else NOT_CANCELLABLE


ACTIONS: Mapping[str, Callable[[Actions, Caller, bytes], list[bytes]]] = {
    "CreatePreparedStatement": Actions.create_prepared,
    "ClosePreparedStatement": Actions.close_prepared,
    "CancelFlightInfo": Actions.cancel_info,
    "CancelQuery": Actions.cancel_query,
    "CloseSession": Actions.close_session,
}


def _request(name: str, body: bytes) -> Any:
    found, request = unpacked(body)
    if found != name:
        raise messages.UnknownMessage(found)
    return request
