"""Accounts, sessions, failed logins, pending logins, uploads; and the log of access to sensitive data."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SEQ = sa.BigInteger().with_variant(sa.Integer, "sqlite")
AT = sa.DateTime(timezone=True)
TABLES = ("account", "portal_session", "login_failure", "oidc_login", "access_log", "upload")


def upgrade() -> None:
    _create_accounts()
    _create_sessions()
    _create_logins()
    _create_access_log()
    _create_uploads()


def _text(name: str, length: int, index: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.String(length), nullable=False, index=index)


def _create_accounts() -> None:
    op.create_table(
        "account",
        sa.Column("id", SEQ, primary_key=True, autoincrement=True),
        sa.Column("name", sa.String(60), nullable=False, unique=True),
        _text("person", 60),
        _text("role", 40),
        _text("department", 120),
        sa.Column("password_hash", sa.String(200)),
        sa.Column("subject", sa.String(300), unique=True),
        sa.Column("must_change", sa.Boolean, nullable=False),
        sa.Column("is_disabled", sa.Boolean, nullable=False),
        sa.Column("created_at", AT, nullable=False),
        sa.Column("last_login_at", AT),
    )


def _create_sessions() -> None:
    op.create_table(
        "portal_session",
        sa.Column("id", SEQ, primary_key=True, autoincrement=True),
        sa.Column("token_hash", sa.String(64), nullable=False, unique=True),
        sa.Column("account", SEQ, sa.ForeignKey("account.id"), nullable=False, index=True),
        sa.Column("started_at", AT, nullable=False),
        sa.Column("seen_at", AT, nullable=False),
    )


def _create_logins() -> None:
    op.create_table(
        "login_failure",
        sa.Column("id", SEQ, primary_key=True, autoincrement=True),
        _text("name", 60, index=True),
        _text("address", 64, index=True),
        sa.Column("at", AT, nullable=False, index=True),
    )
    op.create_table(
        "oidc_login",
        sa.Column("state_hash", sa.String(64), primary_key=True),
        _text("nonce", 80),
        _text("verifier", 128),
        _text("target", 500),
        sa.Column("started_at", AT, nullable=False, index=True),
    )


def _create_access_log() -> None:
    op.create_table(
        "access_log",
        sa.Column("id", SEQ, primary_key=True, autoincrement=True),
        sa.Column("at", AT, nullable=False, index=True),
        _text("name", 120),
        _text("role", 40),
        _text("department", 120, index=True),
        _text("action", 20),
        _text("object", 120, index=True),
        _text("dataset", 120),
        _text("grade", 2),
        sa.Column("reason", sa.Text, nullable=False),
    )


def _create_uploads() -> None:
    op.create_table(
        "upload",
        sa.Column("id", sa.String(26), primary_key=True),
        sa.Column("at", AT, nullable=False),
        _text("name", 120),
        _text("department", 120, index=True),
        _text("dataset", 120),
        _text("delivery", 80, index=True),
        _text("key", 1024),
        sa.Column("size_bytes", sa.BigInteger, nullable=False),
        _text("sha256", 64),
    )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table)
