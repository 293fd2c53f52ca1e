"""The two tables of a ledger, and the triggers that let one only grow."""

from typing import Final

import sqlalchemy as sa

__all__ = ["APPEND_ONLY", "EVENT", "GUARDS", "HEAD", "METADATA", "REFUSALS", "SCHEMA"]

METADATA: Final = sa.MetaData()
EVENT: Final = sa.Table(
    "event",
    METADATA,
    sa.Column("sequence", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("type", sa.Text, nullable=False, index=True),
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
"""Of SQLite."""
SCHEMA: Final = "record"
"""Where a ledger lies in a PostgreSQL database: nothing else lies there."""
REFUSALS: Final = {
    "refuse": " BEGIN RAISE EXCEPTION '%', TG_ARGV[0]; END ",
    "refuse_unless_last": (
        " BEGIN IF NEW.sequence IS DISTINCT FROM (SELECT coalesce(max(sequence), 0) + 1 FROM record.event) THEN "
        "RAISE EXCEPTION 'events are only added at the end'; END IF; RETURN NEW; END "
    ),
}
"""Of PostgreSQL: functions that triggers call, and what they do."""
GUARDS: Final = {
    name: f"CREATE TRIGGER {name} BEFORE {step} ON {SCHEMA}.{table} FOR EACH {each} EXECUTE FUNCTION {SCHEMA}.{call}"
    for name, step, table, each, call in (
        ("event_is_never_changed", "UPDATE", "event", "STATEMENT", "refuse('events are never changed')"),
        ("event_is_never_deleted", "DELETE", "event", "STATEMENT", "refuse('events are never deleted')"),
        ("event_is_never_emptied", "TRUNCATE", "event", "STATEMENT", "refuse('events are never deleted')"),
        ("event_is_only_added", "INSERT", "event", "ROW", "refuse_unless_last()"),
        ("head_is_never_deleted", "DELETE", "head", "STATEMENT", "refuse('the head is never deleted')"),
        ("head_is_never_emptied", "TRUNCATE", "head", "STATEMENT", "refuse('the head is never deleted')"),
    )
}
"""Of PostgreSQL: triggers, in the words in which it tells them again."""
