"""Two remedies: foreign keys that fail where they are broken, and compilers of our own."""

from django.db.backends.postgresql import operations


class DatabaseOperations(operations.DatabaseOperations):
    """PostgreSQL's operations, adapted to rows that may live on another node."""

    compiler_module = "sharding.django.backend.compiler"

    def deferrable_sql(self) -> str:
        """Make foreign keys immediate.

        The violation of a deferred one on a remote shard surfaces only at COMMIT, as an
        InternalError that names neither the constraint nor the row.
        """
        return ""
