"""The shard map of this process, read again now and then.

One thread reads while the others use the map there is; a read that fails leaves it in place. A map
that nobody renewed for long is not used at all while it is being renewed: a node that has left the
cluster since would answer from what it last knew.
"""

import logging
import os
import threading
import time

from django.db import DEFAULT_DB_ALIAS, Error, connections
from prometheus_client import Counter, Gauge

from sharding import shard_map
from sharding.errors import CitusMissing, ShardingError
from sharding.shard_map import ShardMap

logger = logging.getLogger(__name__)

# Seconds.
LIFETIME = 30.0
USABLE = 2 * LIFETIME
RETRY = 1.0  # the least time between two attempts, however many nodes fail

REFRESHES = Counter(
    "sharding_map_refreshes_total", "Times the shard map was read, by outcome.", ["outcome"]
)
LOADED = Gauge(
    "sharding_map_loaded_timestamp_seconds",
    "When the shard map in use was read; the oldest of all processes.",
    multiprocess_mode="livemin",
)


class _Cache:
    """The map and its times on the monotonic clock."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.map: ShardMap | None = None
        self.has_citus = True
        self.expires_at = self.unusable_at = self.tried_at = float("-inf")


_cache = _Cache()


def current() -> ShardMap | None:
    """Return the map; None as long as there is none that may be used, or without Citus."""
    cache, now = _cache, time.monotonic()
    if now >= cache.expires_at and cache.lock.acquire(blocking=False):
        try:
            _refresh(cache)
        finally:
            cache.lock.release()
    return cache.map if now < cache.unusable_at else None


def has_citus() -> bool:
    """Tell whether there is a map to be had at all."""
    return _cache.has_citus


def expire() -> None:
    """Let the map be read again soon: something is not as it says."""
    _cache.expires_at = min(_cache.expires_at, max(time.monotonic(), _cache.tried_at + RETRY))


def reset() -> None:
    """Begin anew: in a test, and in a forked process, which must not inherit a held lock."""
    global _cache  # noqa: PLW0603  (the map is the process's)
    _cache = _Cache()


def _refresh(cache: _Cache) -> None:
    now = cache.tried_at = time.monotonic()
    try:
        with connections[DEFAULT_DB_ALIAS].cursor() as cursor:
            cache.map = shard_map.load(cursor)
    except CitusMissing:
        cache.map, cache.has_citus = None, False
        cache.expires_at = now + LIFETIME
    except (Error, ShardingError) as error:
        # Without a coordinator no shard can be moved: the map stays right for as long.
        REFRESHES.labels("failed").inc()
        logger.warning("the shard map cannot be read; the old one stays", exc_info=error)
        cache.expires_at, cache.unusable_at = now + RETRY, now + USABLE
    else:
        REFRESHES.labels("read").inc()
        LOADED.set_to_current_time()
        cache.has_citus = True
        cache.expires_at, cache.unusable_at = now + LIFETIME, now + USABLE


os.register_at_fork(after_in_child=reset)
