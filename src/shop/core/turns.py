"""Periodic work: one turn at a time, and each goes on where the last one was ended.

Both are remembered in Redis. Without it turns may overlap and begin anew, which costs time alone:
every task can bear to run twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from shop.core import counters

PLACE_LIFETIME = timedelta(minutes=30)


@contextmanager
def turn(name: str, *, longest: timedelta) -> Iterator[bool]:
    """Take a turn, and give it back at the end; yield False if another one still lasts.

    Args:
        longest: after so long a turn has been killed, and does not count any more.
    """
    key = counters.key_of("turn", name)
    free = counters.first(key, lifetime=longest)
    try:
        yield free is not False  # None: Redis does not say
    finally:
        if free:
            counters.forget([key])


def place(name: str) -> str | None:
    """Return where the last turn was ended, None if it came to its end."""
    key = counters.key_of("place", name)
    found = counters.read([key]) or {}
    return found.get(key)


def note_place(name: str, at: str) -> None:
    """Note what is begun now, in case the turn is ended here."""
    counters.keep(counters.key_of("place", name), at, lifetime=PLACE_LIFETIME)


def note_end(name: str) -> None:
    """Note that a turn came to its end."""
    counters.forget([counters.key_of("place", name)])
