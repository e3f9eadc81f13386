"""Which alias leads straight to the node that holds a key.

Invariant: routing is a hint. Every node answers every query, so whatever fails here (no map, an
old map, a key of an unknown type, a node that refuses) ends with `default`, the coordinator: a hop
more, the same answer. ``SHARD_ROUTING=off`` ends everything there.
"""

import logging
import time
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from typing import Any, TypeVar, cast

from django.conf import settings
from django.db import DEFAULT_DB_ALIAS, connections
from django.db.models import Model
from prometheus_client import Counter

from sharding.django import map_cache, node_aliases
from sharding.django.failures import MapOutdated
from sharding.django.placement import Distributed, placement_of
from sharding.errors import ShardingError
from sharding.hashing import hash_key
from sharding.shard_map import Node

K = TypeVar("K")
logger = logging.getLogger(__name__)

# Seconds for which a node that refused is not asked again.
SKIP = 5.0

CHOICES = Counter(
    "sharding_route_choices_total",
    "Times an alias was chosen for a shard key outside a transaction.",
    ["alias"],
)
MISSES = Counter(
    "sharding_route_misses_total",
    "Times the shard map did not tell a key's node, so that the coordinator was asked.",
    ["reason"],
)
FALLBACKS = Counter(
    "sharding_route_fallbacks_total",
    "Times the coordinator was asked because the key's node was not to be had.",
    ["alias"],
)

_skipped_until: dict[str, float] = {}


def alias_for(model: type[Model], key: object) -> str:
    """Return the alias of the node that holds a key's rows, or `default`; no transaction is open.

    The node has answered this thread in this request, so that a query can be bound to it.
    """
    if not settings.SHARD_ROUTING:
        return DEFAULT_DB_ALIAS
    alias = _choose(model, key)
    _times_chosen(alias).inc()
    return alias


def by_shard(model: type[Model], keys: Iterable[K]) -> list[list[K]]:
    """Group shard keys by the shard that holds them; each is alone while that is not known.

    Keys and groups come by ascending hashes. A shard is a range of hashes, so whoever locks rows in
    this order locks them as everybody does, whatever their maps of the shards say.
    """
    field = model._meta.get_field(cast("Distributed", placement_of(model)).by)
    key_type = str(cast("Any", field).db_type(connections[DEFAULT_DB_ALIAS]))
    hashed = sorted((hash_key(key, key_type), key) for key in keys)
    shard_map = map_cache.current() if settings.SHARD_ROUTING else None
    table = shard_map.table(model._meta.db_table) if shard_map else None

    def shard(pair: tuple[int, K]) -> object:
        if table:
            return table.shard_of_hash(pair[0]).id
        return pair if map_cache.has_citus() else None  # without it one table holds them all

    return [[key for _, key in group] for _, group in groupby(hashed, key=shard)]


def outdated() -> MapOutdated:
    """Return the error of a statement that met more shards than the map had told of: one was split.

    The map is read again before the work is.
    """
    map_cache.expire()
    return MapOutdated("The shards have changed since the map was read.")


# Looking a label up costs more than all the rest.
_times_chosen = cache(CHOICES.labels)


def _choose(model: type[Model], key: object) -> str:
    node = _holder(model, key)
    if node is None or node.group_id == 0:  # the coordinator holds shards as well, as it may
        return DEFAULT_DB_ALIAS
    alias = node_aliases.alias_of(node)
    if node.answers and is_up(alias):
        return alias
    FALLBACKS.labels(alias).inc()
    return DEFAULT_DB_ALIAS


def _holder(model: type[Model], key: object) -> Node | None:
    shard_map = map_cache.current()
    if shard_map is None:
        if map_cache.has_citus():
            MISSES.labels("no_map").inc()
        return None
    try:
        return shard_map.find(model._meta.db_table, key).node
    except ShardingError as error:
        MISSES.labels(error.code).inc()
        return None


def is_up(alias: str) -> bool:
    """Tell whether a node answers; one that did not is left alone for a while."""
    until, now = _skipped_until.get(alias), time.monotonic()
    if until is not None:
        if now < until:
            return False
        _skipped_until[alias] = now + SKIP  # one thread tries; the others wait for what it finds
    if node_aliases.answers(alias):
        _skipped_until.pop(alias, None)
        return True
    skip(alias)
    return False


def skip(alias: str) -> None:
    """Leave a node that failed alone for a while, and look where its shards are."""
    logger.warning("a node does not answer; the coordinator is asked", extra={"alias": alias})
    _skipped_until[alias] = time.monotonic() + SKIP
    map_cache.expire()


def is_any_skipped() -> bool:
    """Tell whether any node failed and has not answered since."""
    return bool(_skipped_until)


def is_skipped(alias: str | None) -> bool:
    """Tell whether a node failed and has not answered since."""
    return alias in _skipped_until


def reset() -> None:
    """Forget the map, the aliases and the nodes that failed; for tests."""
    map_cache.reset()
    node_aliases.forget()
    _skipped_until.clear()
