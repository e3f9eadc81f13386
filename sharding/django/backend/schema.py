"""Schema changes that nobody waits long for, because they do not wait long themselves."""

from datetime import timedelta
from typing import Self

from django.db.backends.postgresql import schema

# A statement that waits for a table makes everybody wait behind it who comes later. It gives up
# before the application's own statements do, after 8 s (db.cluster.roles).
LOCK_WAIT = timedelta(seconds=5)


class DatabaseSchemaEditor(schema.DatabaseSchemaEditor):
    """PostgreSQL's editor, whose transactions give up when a lock is not to be had."""

    def __enter__(self) -> Self:
        editor = super().__enter__()
        if self.atomic_migration and not self.collect_sql:
            with self.connection.cursor() as cursor:
                # What SET LOCAL says counts here alone, unless Citus is told to pass it on to the
                # nodes: there the shards are, and whoever uses them.
                cursor.execute("SET LOCAL citus.propagate_set_commands TO 'local'")
                milliseconds = int(LOCK_WAIT / timedelta(milliseconds=1))
                cursor.execute(f"SET LOCAL lock_timeout TO {milliseconds}")
        return editor
