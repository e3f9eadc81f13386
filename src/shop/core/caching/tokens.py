"""Making entries stale, on all app servers at once, by taking their tokens away.

Whoever makes an entry anew puts a new random token in the place of one that is gone. An entry
that was being made meanwhile, from what was there before the write, carries the old one: it never
counts.

A token that could not be taken away, because Redis did not answer, is owed: a thread tries again
until it is gone. The debts of a process that dies meanwhile are paid by the entries' own end
(settings.CACHE_KEPT).
"""

import logging
import threading
import time
from collections.abc import Iterable

from prometheus_client import Counter

from shop.core.caching.entries import token_key
from shop.core.redis import RedisGone, breaker, client

logger = logging.getLogger(__name__)

EXPIRED = Counter("shardmart_cache_expired_tokens", "Tokens taken away by writes.")
OWED = Counter(
    "shardmart_cache_owed_tokens", "Tokens that could not be taken away at once: Redis was gone."
)

PART = "cache"
AT_ONCE = 1000  # names in one command
TRY_AGAIN = 0.5  # seconds

_lock = threading.Lock()
_owed: set[str] = set()
_debtor: threading.Thread | None = None


def expire(names: Iterable[str]) -> None:
    """Make stale, from now on and everywhere, all that depends on any of these tokens.

    Call it when what was written can be seen by others, not before.
    """
    wanted = sorted(set(names))
    try:
        _take_away(wanted)
    except RedisGone:
        OWED.inc(len(wanted))
        _owe(wanted)


def owed() -> frozenset[str]:
    """Return the tokens that this process has still to take away."""
    with _lock:
        return frozenset(_owed)


def _take_away(names: list[str]) -> None:
    for start in range(0, len(names), AT_ONCE):
        keys = [token_key(name) for name in names[start : start + AT_ONCE]]
        breaker.call(PART, client().unlink, *keys)
        EXPIRED.inc(len(keys))


def _owe(names: list[str]) -> None:
    global _debtor  # noqa: PLW0603 - one thread a process
    with _lock:
        _owed.update(names)
        if _debtor is None or not _debtor.is_alive():
            logger.warning("written, but not yet stale in the cache", extra={"tokens": len(_owed)})
            _debtor = threading.Thread(target=_pay, name="owed-tokens", daemon=True)
            _debtor.start()


def _pay() -> None:
    global _debtor  # noqa: PLW0603
    while True:
        time.sleep(TRY_AGAIN)
        paying = owed()
        try:
            _take_away(sorted(paying))
        except RedisGone:
            continue
        with _lock:
            # A name that was owed once more meanwhile is taken away twice, which does no harm.
            _owed.difference_update(paying)
            if not _owed:
                _debtor = None
                return
