"""Database aliases for the nodes of the cluster, made as the nodes appear.

A node's pooler stands beside the node: on the same host, its port that of the node plus
``settings.DATABASE_POOLER_PORT_OFFSET``. All else an alias has from `default` as it is at that
moment: the role, the options, the database (which a test runner changes).
"""

import threading
from typing import Any

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, Error, connections

from sharding.shard_map import Node

PREFIX = "node_"
# Seconds. A node that is not there answers on a network with silence, and users wait meanwhile.
CONNECT_TIMEOUT = 2

_lock = threading.Lock()


def alias_of(node: Node) -> str:
    """Return the alias that leads to a node's pooler; it is made, or renewed, if need be."""
    alias, aliases = f"{PREFIX}{node.group_id}", connections.settings
    # The same dictionary as the connections' settings_dict, without a thread's look-up.
    default = aliases[DEFAULT_DB_ALIAS]
    port = str(node.port + settings.DATABASE_POOLER_PORT_OFFSET)
    wanted = (node.host, port, default["NAME"])
    known = aliases.get(alias)
    if known is None or (known["HOST"], known["PORT"], known["NAME"]) != wanted:
        _set(alias, _settings(default, node.host, port))
    return alias


def is_node(alias: str) -> bool:
    """Tell an alias made here from those of the settings."""
    return alias.startswith(PREFIX)


def answers(alias: str) -> bool:
    """Tell whether the node behind an alias answers this thread, connecting to it if need be.

    A connection that is open is asked once per request (CONN_HEALTH_CHECKS). A new one is asked as
    well: a pooler takes clients while its server is gone.
    """
    connection = connections[alias]
    if connection.settings_dict is not connections.settings[alias]:  # the node has moved
        connection.close()
        del connections[alias]
        connection = connections[alias]
    try:
        connection.close_if_health_check_failed()
        if connection.connection is not None:
            return True
        connection.ensure_connection()
        if connection.is_usable():
            return True
    except Error:
        pass
    connection.close()
    return False


def forget() -> None:
    """Close this thread's connections to nodes and remove the aliases; for tests."""
    for alias in filter(is_node, list(connections)):
        connections[alias].close()
        del connections[alias]
    with _lock:
        kept = {alias: of for alias, of in connections.settings.items() if not is_node(alias)}
        connections.settings = kept


def _settings(default: dict[str, Any], host: str, port: str) -> dict[str, Any]:
    return {
        **default,
        "HOST": host,
        "PORT": port,
        "OPTIONS": {"connect_timeout": CONNECT_TIMEOUT, **default["OPTIONS"]},
        # The same data behind another door: a test runner must not make or flush it once more.
        "TEST": {**default["TEST"], "MIRROR": DEFAULT_DB_ALIAS},
    }


def _set(alias: str, wanted: dict[str, Any]) -> None:
    """Replace the dictionary, which other threads may be walking through."""
    with _lock:
        connections.settings = {**connections.settings, alias: wanted}
