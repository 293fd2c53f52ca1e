"""The tables of people. Unlike the record they change; who was admitted and suspended when stands in the ledger."""

from typing import Final

import sqlalchemy as sa

__all__ = ["DEVICE", "INVITATION", "PEOPLE", "PERSON", "PREPARED", "SCHEMA", "SESSION", "TOKEN", "VERSION"]

SCHEMA: Final = "people"
"""Of the tables in PostgreSQL, beside the ledger's."""
PEOPLE: Final = sa.MetaData()
PERSON: Final = sa.Table(
    "person",
    PEOPLE,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("login", sa.Text, nullable=False, unique=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("site", sa.Text),
    sa.Column("password", sa.Text),  # argon2id; None until the invitation is taken up
    sa.Column("factor", sa.Text),  # the TOTP secret, sealed under the service's key
    sa.Column("factor_used_at", sa.Integer, nullable=False, default=0),  # the time step of the last code taken
    sa.Column("n_failed", sa.Integer, nullable=False, default=0),  # of strangers, in a row
    sa.Column("locked_until", sa.Float, nullable=False, default=0.0),
    sa.Column("is_suspended", sa.Boolean, nullable=False, default=False),
)
INVITATION: Final = sa.Table(
    "invitation",
    PEOPLE,
    sa.Column("token", sa.Text, primary_key=True),  # SHA-256 of what the link holds
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Column("asked_by", sa.Text),  # the administrator who holds the link; None: made by one hand
    sa.Column("reason", sa.Text, nullable=False, server_default=""),
    sa.Column("attested_by", sa.Text),  # who was told the code; None: nobody yet
    sa.Column("code", sa.Text),  # derived under the service's key from the code
    sa.Column("n_failed", sa.Integer, nullable=False, server_default="0"),  # tries at the code, in a row
)
SESSION: Final = sa.Table(
    "session",
    PEOPLE,
    sa.Column("token", sa.Text, primary_key=True),  # SHA-256 of what the cookie holds
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("form_key", sa.Text, nullable=False),  # every form of the session carries it
    sa.Column("began_at", sa.Float, nullable=False),
    sa.Column("seen_at", sa.Float, nullable=False),
    sa.Column("n_failed", sa.Integer, nullable=False, server_default="0"),  # confirmations in a row that failed
    sa.Column("browser", sa.Text),  # as it calls itself, in two words
)
DEVICE: Final = sa.Table(
    "device",
    PEOPLE,
    sa.Column("token", sa.Text, primary_key=True),  # SHA-256 of what a browser's cookie holds
    sa.Column("person", sa.Text, primary_key=True),  # who came in from that browser
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Column("n_failed", sa.Integer, nullable=False, server_default="0"),
    sa.Column("locked_until", sa.Float, nullable=False, server_default="0"),
)
TOKEN: Final = sa.Table(
    "token",
    PEOPLE,
    sa.Column("id", sa.Text, primary_key=True),
    # SHA-256 of what a program shows; until it is taken, that it waits
    sa.Column("token", sa.Text, nullable=False, unique=True),
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("rights", sa.Text, nullable=False),  # separated by commas
    sa.Column("expires_at", sa.Float, nullable=False),
    sa.Column("is_revoked", sa.Boolean, nullable=False, default=False),
)
PREPARED: Final = sa.Table(
    "prepared",
    PEOPLE,
    sa.Column("person", sa.Text, primary_key=True),  # whose access is about to be changed
    sa.Column("place", sa.Integer, nullable=False),  # in the ledger, of the event that tells it
    sa.Column("change", sa.Text, nullable=False),  # as the event calls it
    sa.Column("password", sa.Text),
    sa.Column("factor", sa.Text),
    sa.Column("factor_used_at", sa.Integer),
    sa.Column("is_suspended", sa.Boolean),
    sa.Column("session", sa.Text),  # that goes on
    sa.Column("device", sa.Text),  # in which the person goes on being known
)
VERSION: Final = sa.Table(
    "version",
    PEOPLE,
    sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),  # of these tables: one row
)
