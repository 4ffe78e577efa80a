"""The Flight SQL server: what each call does. The middleware has checked who calls."""

import json
from collections.abc import Iterator
from concurrent.futures import wait
from functools import partial
from itertools import count
from threading import Event, Thread
from typing import Any

import pyarrow as pa
from pyarrow import flight

from jobs.serving.sql.answer import Answer, Run
from jobs.serving.sql.flight import catalogue, commands, schemas
from jobs.serving.sql.flight.actions import ACTIONS, WAY, Actions
from jobs.serving.sql.flight.answers import Answers, Kept
from jobs.serving.sql.flight.commands import Asked, OnlyReads, known
from jobs.serving.sql.flight.errors import reported, reported_as_text
from jobs.serving.sql.flight.login import CallMiddleware, CallMiddlewareFactory, Handshake, Sessions
from jobs.serving.sql.flight.messages import UnknownMessage, packed, unpacked, written
from jobs.serving.sql.flight.statements import Statements, bound_values, parameter_oids, unknown_values
from jobs.serving.sql.limits import size_bytes
from jobs.serving.sql.logins import Logins
from jobs.serving.sql.service import SqlService
from jobs.serving.sql.stopping import Stop

WAIT_S, LOOK_S, SWEEP_S, CLOSE_S = 1.0, 0.05, 15.0, 5.0
"""How long a call that asks waits for the answer before it returns a ticket to it; how often a waiting call looks whether it was
cancelled; how often old answers are dropped; how long open calls may take when the server closes."""
BATCH_BYTES = 4 << 20
"""Of a batch, about; Go's clients accept 16 MiB."""


class FlightSqlServer(flight.FlightServerBase):
    """Listens from when it is made, until it is closed. `tls`: certificate and key, PEM."""

    def __init__(
        self, address: tuple[str, int], service: SqlService, logins: Logins, tls: tuple[bytes, bytes] | None = None
    ) -> None:
        self._service, self._closed, self.wait_s = service, Event(), WAIT_S
        self.answers, self._statements = Answers(size_bytes(service.settings.sql_flight_memory)), Statements()
        sessions = Sessions(logins, takes_passwords=tls is not None)
        self._actions = Actions(service, sessions, self._statements, self.answers)
        host, port = address
        scheme = "grpc" if tls is None else "grpc+tls"
        super().__init__(
            f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}",
            auth_handler=Handshake(),
            tls_certificates=[tls] if tls else None,
            middleware={"call": CallMiddlewareFactory(sessions)},
        )
        Thread(target=self._sweep, daemon=True).start()

    def close(self) -> None:
        """Stop all queries and the server; a client that does not read its answer is not waited for."""
        self._closed.set()
        self.answers.close()
        closing = Thread(target=self.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_S)

    def get_flight_info(self, context: Any, descriptor: Any) -> flight.FlightInfo:
        """A ticket to the answer; a statement is run, and its schema and size are there where it does not take long."""
        with reported():
            asked = self._asked(context, descriptor)
            if asked.is_about_tables:
                schema = catalogue.schema_of(asked.name, asked.command)
                return flight.FlightInfo(schema, descriptor, [flight.FlightEndpoint(descriptor.command, [])])
            return self._started(context, asked, descriptor)

    def get_schema(self, context: Any, descriptor: Any) -> flight.SchemaResult:
        """The schema of an answer, without running the statement."""
        with reported_as_text():
            caller, asked = _call(context).caller, self._asked(context, descriptor)
            if asked.is_about_tables:
                return flight.SchemaResult(catalogue.schema_of(asked.name, asked.command))
            values = asked.values or unknown_values(parameter_oids(self._service, caller.owner, asked.sql))
            answer = self._service.described(caller.actor, asked.sql, WAY, values)
            return flight.SchemaResult(schemas.described_schema(answer))

    def do_get(self, context: Any, ticket: Any) -> flight.FlightDataStream:
        """The rows of a ticket."""
        with reported():
            call, (name, command) = _call(context), unpacked(ticket.ticket)
            if name in catalogue.COMMANDS:
                table = catalogue.rows_of(self._service, call.caller.actor, name, command)
                return flight.RecordBatchStream(table)
            if name != "TicketStatementQuery":
                raise UnknownMessage(name)
            kept = self.answers.reading(command.statement_handle, call.caller.owner)
            call.at_end = partial(self.answers.drop, command.statement_handle)
            answer = _waited(context, kept, None) or kept.future.result()
            return flight.GeneratorStream(schemas.answer_schema(answer), self._batches(answer, kept.stop))

    def do_put(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        """Bind the parameters of a prepared statement; nothing else is taken."""
        with reported():
            name, command = known(descriptor.command)
            if name != "CommandPreparedStatementQuery":
                raise OnlyReads()
            handle = command.prepared_statement_handle
            statement = self._statements.of(handle, _call(context).caller.owner)
            statement.values = bound_values(reader)
            writer.write(written("DoPutPreparedStatementResult", prepared_statement_handle=handle))

    def do_action(self, context: Any, action: Any) -> list[flight.Result]:
        """Prepare and close statements, cancel queries, end the login."""
        with reported():
            results = self._actions.run(action.type, _call(context).caller, action.body.to_pybytes())
            return [flight.Result(pa.py_buffer(result)) for result in results]

    def list_actions(self, context: Any) -> list[tuple[str, str]]:
        """The names of the actions."""
        return [(name, run.__doc__ or "") for name, run in ACTIONS.items()]

    def list_flights(self, context: Any, criteria: Any) -> Iterator[flight.FlightInfo]:
        """None: clients list tables by Flight SQL."""
        return iter(())

    def do_exchange(self, context: Any, descriptor: Any, reader: Any, writer: Any) -> None:
        """Not part of Flight SQL."""
        raise flight.FlightServerError("DoExchange is not supported / 不支持 DoExchange")

    def _sweep(self) -> None:
        while not self._closed.wait(SWEEP_S):
            self.answers.sweep()

    def _asked(self, context: Any, descriptor: Any) -> Asked:
        return commands.asked(descriptor.command, self._statements, _call(context).caller.owner)

    def _started(self, context: Any, asked: Asked, descriptor: Any) -> flight.FlightInfo:
        caller = _call(context).caller

        def ask(stop: Stop) -> Answer:
            run = Run(stop=stop, is_large=caller.is_large)
            return self._service.ask(caller.actor, asked.sql, WAY, asked.values, run)

        handle, kept = self.answers.start(caller.owner, ask)
        endpoint = flight.FlightEndpoint(packed("TicketStatementQuery", statement_handle=handle), [])
        try:
            answer = _waited(context, kept, self.wait_s)
        except BaseException:
            self.answers.drop(handle)
            raise
        if answer is None:
            return flight.FlightInfo(None, descriptor, [endpoint])
        schema, about = schemas.answer_schema(answer), json.dumps(schemas.about_answer(answer), ensure_ascii=False)
        size = (answer.table.num_rows, int(answer.table.nbytes))
        return flight.FlightInfo(schema, descriptor, [endpoint], *size, True, about.encode())

    def _batches(self, answer: Answer, stop: Stop) -> Iterator[pa.RecordBatch]:
        """The rows in batches; none after the answer was cancelled, or its grant has ended."""
        table = pa.Table.from_arrays(answer.table.columns, schema=schemas.answer_schema(answer))
        with reported():
            for batch in table.to_batches(_rows_of_batch(table)):
                if stop.is_cancelled:
                    raise flight.FlightCancelledError("cancelled / 查询已取消")
                self._service.check_grant(answer.grade.until)
                yield batch


def _call(context: Any) -> CallMiddleware:
    call: CallMiddleware = context.get_middleware("call")
    return call


def _waited(context: Any, kept: Kept, seconds: float | None) -> Answer | None:
    """The answer; None after so many seconds. The query ends where the client has ended the call."""
    for _ in count() if seconds is None else range(int(seconds / LOOK_S)):
        if wait([kept.future], LOOK_S).done:
            return kept.future.result()
        if context.is_cancelled():
            kept.stop.cancel()
    return None


def _rows_of_batch(table: pa.Table) -> int:
    rows, size = int(table.num_rows), int(table.nbytes)
    return max(1, BATCH_BYTES * rows // max(BATCH_BYTES, size))
