"""Ids made by the application: unique without asking any node, and sorted by their birth."""

import secrets
import threading
import time
from uuid import UUID

_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62
_COUNTER_BITS = 12

_MARK = (1 << 64) - 1

_lock = threading.Lock()
_last = 0  # milliseconds since 1970 and the counter, in one number


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562), monotonic within this process.

    Ids of one millisecond are told apart by a 12-bit counter (RFC 9562 §6.2, method 1); only when
    it runs over, after 4,096 of them, is the next millisecond borrowed. 62 bits are random.
    """
    global _last  # noqa: PLW0603  (the last id is the process's, as the clock is)
    with _lock:
        _last = max(_last + 1, (time.time_ns() // 1_000_000) << _COUNTER_BITS)
        stamp = _last
    milliseconds, counter = divmod(stamp, 1 << _COUNTER_BITS)
    high = (milliseconds << 80) | _VERSION | (counter << 64)
    return UUID(int=high | _VARIANT | secrets.randbits(62))


def new_id_of(owner: UUID) -> UUID:
    """Return a UUIDv7 that carries its owner's mark, so that it tells whose it is.

    What is random in `new_id` is the owner's here, so it is unique among what the owner has: two of
    one owner made in one millisecond are told apart by 12 random bits.
    """
    milliseconds = time.time_ns() // 1_000_000
    high = (milliseconds << 80) | _VERSION | (secrets.randbits(12) << 64)
    return UUID(int=high | owner.int & _MARK)


def mark_of(key: UUID) -> str:
    """Return the last 16 hex digits: of an owner, and of every id that carries its mark."""
    return f"{key.int & _MARK:016x}"
