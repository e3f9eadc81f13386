"""Whether there is a journal of what shardctl did (`sharding.moving.journal`), and who reads it."""

from __future__ import annotations

from sharding.connection import Session

# By the catalogue, which every role may read: to_regclass() refuses a schema that is closed to us.
TABLES = """
SELECT count(*) AS tables,
       coalesce(bool_and(has_schema_privilege(n.oid, 'USAGE')
                         AND has_table_privilege(c.oid, 'SELECT')), false) AS readable
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'shardctl' AND c.relname IN ('runs', 'moves')
"""
UNREADABLE = (
    "shardctl's journal is not shown: this role may not read it. GRANT pg_monitor TO the role; the"
    " next acting command lets pg_monitor read it."
)


def is_there(session: Session) -> bool:
    """Whether this cluster has a journal."""
    return bool(session.value(TABLES))


def is_readable(session: Session) -> bool:
    """Whether there is one, and our role may read it."""
    row = session.row(TABLES)
    return bool(row and row.tables and row.readable)


def missed(session: Session) -> str:
    """Return the sentence that says that it cannot be read; empty when there is nothing to say."""
    row = session.row(TABLES)
    return UNREADABLE if row and row.tables and not row.readable else ""
