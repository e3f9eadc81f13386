"""Telling errors that pass by themselves from those that stay."""

import re

from django.db import Error, InterfaceError, OperationalError
from psycopg2 import errorcodes

# The transaction was undone through no fault of its own. Citus reports a shard that was split while
# the statement waited as a serialization failure ("shard for the given value does not exist").
UNDONE = frozenset({errorcodes.DEADLOCK_DETECTED, errorcodes.SERIALIZATION_FAILURE})

# A statement was planned for a placement that was removed before it ran: the shard has moved.
_SHARD_GONE = re.compile(
    r'relation "[^"]*_\d{6,}" does not exist|could not open relation with OID'
    r"|could not find valid entry for shard"
)
_MAY_BE_GONE = frozenset({errorcodes.UNDEFINED_TABLE, errorcodes.INTERNAL_ERROR})

# The server or its pooler ended the connection, or does not take one.
_LOST = frozenset(
    {
        errorcodes.ADMIN_SHUTDOWN,
        errorcodes.CRASH_SHUTDOWN,
        errorcodes.CANNOT_CONNECT_NOW,
        errorcodes.PROTOCOL_VIOLATION,  # PgBouncer's code for "my server is gone"
    }
)

# A node was lost between the last statement and the COMMIT that had to prepare there: the leader
# undoes the transaction, and reports it with the code of an internal error.
_LOST_AT_COMMIT = re.compile(
    r"server closed the connection unexpectedly|could not commit transaction for shard"
    r"|connection (to the remote node|not open)|failure on connection marked as essential"
)


# A node that leaves is told to know no others first, before it forgets the tables as well.
_KNOWS_NO_NODE = re.compile(
    r"there are no nodes in that group|node group \d+ does not have a primary node"
)


class MapOutdated(OperationalError):
    """The shards are not where the map said; it is being read again, and so may the work begin."""


class NodeHasLeft(MapOutdated):
    """A node that does not know the tables or the other nodes: it is out of the cluster."""


def code_of(error: BaseException) -> str | None:
    """Return the SQLSTATE that the server gave, if it gave one."""
    return getattr(error.__cause__, "pgcode", None)


def is_passing(error: BaseException) -> bool:
    """Tell whether the same transaction may well succeed the next time, and was undone."""
    if isinstance(error, MapOutdated):
        return True
    code = code_of(error)
    if code in _MAY_BE_GONE:
        return _SHARD_GONE.search(str(error)) is not None
    return isinstance(error, OperationalError) and code in UNDONE


def is_lost(error: Error) -> bool:
    """Tell whether the connection failed, not the statement."""
    code = code_of(error)
    return code in _LOST or (code is None and isinstance(error, OperationalError | InterfaceError))


def is_lost_at_commit(error: BaseException) -> bool:
    """Tell whether a transaction over several nodes was undone because one of them was lost."""
    internal = code_of(error) == errorcodes.INTERNAL_ERROR
    return internal and _LOST_AT_COMMIT.search(str(error)) is not None


def has_left(error: BaseException) -> bool:
    """Tell whether a node knows a table no more as a whole, or none of the other nodes.

    From a node this means that it has left the cluster, while the map in use still names it.
    """
    code = code_of(error)
    if code == errorcodes.INTERNAL_ERROR:
        return _KNOWS_NO_NODE.search(str(error)) is not None
    return code == errorcodes.UNDEFINED_TABLE and not _SHARD_GONE.search(str(error))
