"""Asking every shard while a node is away: those of the others answer.

Invariant: as long as all nodes answer, this is the one statement that Citus sends to all shards.
When it fails, or while a node is known to be away, each node is asked by itself for each shard that
it holds; one that does not answer is left out, and counted. What is left out is found once the node
is back: this is for work that comes round again, not for figures that have to be whole.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.db import (
    DEFAULT_DB_ALIAS,
    InterfaceError,
    OperationalError,
    ProgrammingError,
    connections,
)
from django.db.models import QuerySet
from prometheus_client import Counter

from sharding.django import map_cache, node_aliases, routing
from sharding.django.failures import is_passing
from sharding.django.transactions import atomic, open_alias
from sharding.shard_map import Node, ShardMap

logger = logging.getLogger(__name__)

LEFT_OUT = Counter(
    "sharding_nodes_left_out_total",
    "Times work that looks through all shards went on without a node.",
    ["alias"],
)
LOST = (OperationalError, InterfaceError)


def reachable(rows: QuerySet[Any, Any], *, key: Callable[[Any], Any] | None = None) -> list[Any]:
    """Return the rows of a query over all shards that the nodes which answer hold.

    Args:
        rows: a query that is allowed to ask every shard; its limit holds for all of them together.
        key: of a row, what the query orders by, if it does.

    Raises:
        OperationalError, InterfaceError: nobody can be asked; or a transaction is open.
    """
    if not settings.SHARD_ROUTING or open_alias():
        return list(rows)
    if not routing.is_any_skipped():
        try:
            return list(rows)
        except LOST as error:
            logger.warning("not all shards answer; they are asked one by one", exc_info=error)
    shard_map = map_cache.current()
    if shard_map is None:
        return list(rows)
    found = [row for node in shard_map.nodes for row in _held_by(node, rows, shard_map)]
    return (sorted(found, key=key) if key else found)[: rows.query.high_mark]


def _held_by(node: Node, rows: QuerySet[Any, Any], shard_map: ShardMap) -> list[Any]:
    alias = node_aliases.alias_of(node) if node.group_id else DEFAULT_DB_ALIAS
    if not routing.is_up(alias):
        LEFT_OUT.labels(alias).inc()
        return []
    found: list[Any] = []
    try:
        with atomic(using=alias):  # so that no read is sent elsewhere when it fails
            for names in _shards(node, rows.model._meta.db_table, shard_map):
                with _instead_of(names, alias):
                    found += rows.using(alias)
    except LOST:
        routing.skip(alias)
        LEFT_OUT.labels(alias).inc()
    except ProgrammingError as error:
        if not is_passing(error):
            raise
        map_cache.expire()  # a shard has moved since
    return found


def _shards(node: Node, table: str, shard_map: ShardMap) -> Iterator[dict[str, str]]:
    """Yield, for each shard of a node, what the tables of the group are called there."""
    group = shard_map.groups[shard_map.table(table).colocation_id]
    for number, shard in enumerate(shard_map.table(table).shards):
        if shard.node == node:
            yield {f'"{t.name}"': f'"{t.name}_{t.shards[number].id}"' for t in group}


@contextmanager
def _instead_of(names: dict[str, str], alias: str) -> Iterator[None]:
    """Send what is asked on an alias to tables of other names."""

    def rename(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        for name, other in names.items():
            sql = sql.replace(name, other)
        return execute(sql, params, many, context)

    with connections[alias].execute_wrapper(rename):
        yield
