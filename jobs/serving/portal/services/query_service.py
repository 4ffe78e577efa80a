"""SQL in the portal, for those who oversee: questions, files, saved queries and tokens."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from jobs.access import rights
from jobs.access.policy import Right
from jobs.errors import PolicyRefusal
from jobs.model.actor import Actor
from jobs.reporting.charts import Chart
from jobs.reporting.pages import Table
from jobs.serving.accounts import Account
from jobs.serving.portal.answers import answer_chart, answer_table
from jobs.serving.portal.context import Portal
from jobs.serving.sql.answer import Answer, Run
from jobs.serving.sql.export import FORMATS, download
from jobs.serving.sql.listing import ShownColumn
from jobs.serving.sql.readable import Readable
from jobs.serving.sql.saved import SavedQueries
from jobs.serving.sql.tokens import Token, Tokens

SHOWN_ROWS = 200
PARAMETER = re.compile(r"(?<![\w$])\$([A-Za-z_]\w{0,39})")
TOKEN_DAYS = 90
FIELD = "p_"
"""Beginning of the form's fields for parameters."""


@dataclass(frozen=True)
class Shown:
    """An answer as the page shows it."""

    answer: Answer
    rows: Table
    chart: Chart | None


@dataclass(frozen=True)
class QueryService:
    """What the user may ask; NotAllowed for others than those who oversee."""

    portal: Portal
    actor: Actor
    account: Account

    def tables(self) -> list[tuple[Readable, list[ShownColumn]]]:
        """The tables that may be queried, with their columns."""
        self._check()
        return [(known, self.portal.sql_service.columns(known)) for known in self.portal.sql_service.tables(self.actor)]

    def shown(self, fields: Mapping[str, str]) -> Shown:
        """The answer to the form's query, for the page."""
        answer = self._answer(fields, "portal", SHOWN_ROWS)
        return Shown(answer, answer_table(answer), answer_chart(answer.table))

    def file(self, fields: Mapping[str, str]) -> tuple[bytes, str, str]:
        """The answer as a file: bytes, media type and name; its name has the id of the query."""
        self._check()
        format_ = fields.get("format", "")
        if format_ not in FORMATS:
            raise PolicyRefusal("请选择文件格式：csv、xlsx 或 parquet")
        answer = self._answer(fields, "portal", None)
        data = download(self.portal.sql_service, self.actor, answer, format_)
        return data, FORMATS[format_], f"query-{answer.id}.{format_}"

    def saved(self) -> SavedQueries:
        """Saved queries."""
        self._check()
        return SavedQueries(self.portal.tickets.database, self.account)

    def tokens(self) -> tuple[Token, ...]:
        """The user's tokens that are still valid."""
        now = self.portal.now()
        return tuple(token for token in self._tokens().all(self.account.name) if token.ends_at > now)

    def add_token(self, note: str) -> str:
        """A new token of the user; shown this once."""
        now = self.portal.now()
        return self._tokens().add(self.account.name, note.strip()[:200], now, now + timedelta(days=TOKEN_DAYS))[1]

    def end_token(self, id_: str) -> None:
        """End a token of the user's."""
        self._tokens().end(id_, self.portal.now(), self.account.name)

    def _tokens(self) -> Tokens:
        self._check()
        return Tokens(self.portal.tickets.database)

    def _answer(self, fields: Mapping[str, str], way: str, most: int | None) -> Answer:
        self._check()
        sql = fields.get("sql", "")
        values = {name: fields.get(FIELD + name, "") for name in parameters_of(sql)}
        return self.portal.sql_service.ask(self.actor, sql, way, values, Run(most, is_large=bool(fields.get("large"))))

    def _check(self) -> None:
        rights.check_right(self.actor, Right.OVERSEE, "在门户中用 SQL 查询")


def parameters_of(sql: str) -> list[str]:
    """Names of the parameters that a query has, as $county."""
    return list(dict.fromkeys(PARAMETER.findall(sql)))
