"""Where a read that failed may be sent once more.

Only outside a transaction: there a SELECT has changed nothing, and holds no locks that could be
lost. A node that broke off is left alone for a while; a shard that has just moved is found anew.
"""

from django.db import DEFAULT_DB_ALIAS, Error
from django.db.backends.base.base import BaseDatabaseWrapper

from sharding.django import map_cache, node_aliases, routing
from sharding.django.failures import has_left, is_lost, is_passing


def alias_after(error: Error, connection: BaseDatabaseWrapper) -> str | None:
    """Return the alias to send a SELECT to after it failed; None if it would fail again."""
    if connection.in_atomic_block or not connection.get_autocommit():
        return None
    if is_passing(error):
        map_cache.expire()
        return DEFAULT_DB_ALIAS
    if node_aliases.is_node(connection.alias) and (is_lost(error) or has_left(error)):
        connection.close()
        routing.skip(connection.alias)
        return DEFAULT_DB_ALIAS
    return None
