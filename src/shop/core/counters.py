"""Counters and marks in Redis, for what may be forgotten and must not hold up a request.

They stand in CACHES' "state", apart from the cache, which strangers can fill. That Redis slow or
gone means "not known": nothing is refused because of it. What could not be asked is counted
(`missed`); `shop.core.redis` sees to it that not every request waits for the timeout.
"""

from collections.abc import Callable, Iterable
from datetime import timedelta
from typing import Any, TypeVar

from django.core.cache import BaseCache, caches
from django.utils.crypto import salted_hmac

from shop.core.redis import RedisGone, state_breaker

T = TypeVar("T")

PART = "counters"
SALT = "shop.core.counters"


class _State:
    """What this process knows. A lost update costs a count of one."""

    missed = 0


def missed() -> int:
    """Return how many questions Redis did not answer since this process began."""
    return _State.missed


def key_of(*parts: str) -> str:
    """Return a key that names people and addresses by their keyed digest, never as they are."""
    digest = salted_hmac(SALT, "\n".join(parts[1:]), algorithm="sha256").hexdigest()
    return f"{parts[0]}:{digest}"


def increment(key: str, *, lifetime: timedelta) -> int | None:
    """Raise a counter by one, atomically; return what it shows then, None if it is not known.

    Args:
        lifetime: of a counter that begins with this.
    """
    return _ask(lambda: _increment(key, lifetime), None)


def read(keys: Iterable[str]) -> dict[str, Any] | None:
    """Return what is known under these keys, in one round trip; None if Redis does not answer."""
    return _ask(lambda: dict(_state().get_many(list(keys))), None)


def mark(keys: Iterable[str], *, lifetime: timedelta) -> None:
    """Remember these keys for a time; calling it again begins the time anew."""
    marks = dict.fromkeys(keys, 1)
    _ask(lambda: _state().set_many(marks, timeout=int(lifetime.total_seconds())), None)


def keep(key: str, value: str, *, lifetime: timedelta) -> None:
    """Remember a value for a time."""
    _ask(lambda: _state().set(key, value, timeout=int(lifetime.total_seconds())), None)


def first(key: str, *, lifetime: timedelta) -> bool | None:
    """Mark a key unless it is marked, atomically; tell whether it was not, None if not known."""
    return _ask(lambda: bool(_state().add(key, 1, timeout=int(lifetime.total_seconds()))), None)


def forget(keys: Iterable[str]) -> None:
    """Let counters begin anew, and marks be gone."""
    _ask(lambda: _state().delete_many(list(keys)), None)


def _state() -> BaseCache:
    return caches["state"]


def _increment(key: str, lifetime: timedelta) -> int:
    try:
        return _state().incr(key)  # a script in Redis: one round trip, and the lifetime stays
    except ValueError:
        begun = _state().add(key, 1, timeout=int(lifetime.total_seconds()))
    return 1 if begun else _state().incr(key)


def _ask(question: Callable[[], T], unknown: T) -> T:
    try:
        return state_breaker.call(PART, question)
    except (RedisGone, ValueError):  # or the counter went between two steps of `_increment`
        _State.missed += 1
        return unknown
