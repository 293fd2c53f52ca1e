"""The two tables of a ledger, and the triggers that let one only grow."""

from typing import Final

import sqlalchemy as sa

__all__ = ["APPEND_ONLY", "EVENT", "HEAD", "METADATA"]

METADATA: Final = sa.MetaData()
EVENT: Final = sa.Table(
    "event",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("schema_version", sa.Integer, nullable=False),
    sa.Column("subject", sa.Text, index=True),
    sa.Column("site", sa.Text),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("happened_at", sa.Text, nullable=False),
    sa.Column("recorded_at", sa.Text, nullable=False),
    sa.Column("payload", sa.LargeBinary, nullable=False),
    sa.Column("previous_hash", sa.Text, nullable=False),
    sa.Column("hash", sa.Text, nullable=False, unique=True),
)
HEAD: Final = sa.Table(
    "head",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("count", sa.Integer, nullable=False),
    sa.Column("hash", sa.Text, nullable=False),
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("public_key", sa.Text, nullable=False),
    sa.Column("signature", sa.Text, nullable=False),
)
APPEND_ONLY: Final = (
    "CREATE TRIGGER event_is_never_changed BEFORE UPDATE ON event BEGIN SELECT RAISE(ABORT, 'events are never "
    "changed'); END",
    "CREATE TRIGGER event_is_never_deleted BEFORE DELETE ON event BEGIN SELECT RAISE(ABORT, 'events are never "
    "deleted'); END",
    "CREATE TRIGGER event_is_only_added BEFORE INSERT ON event WHEN NEW.sequence IS NOT (SELECT "
    "coalesce(max(sequence), 0) + 1 FROM event) OR EXISTS (SELECT 1 FROM event WHERE hash = NEW.hash) BEGIN "
    "SELECT RAISE(ABORT, 'events are only added at the end'); END",
    "CREATE TRIGGER head_is_never_deleted BEFORE DELETE ON head BEGIN SELECT RAISE(ABORT, 'the head is never "
    "deleted'); END",
)
