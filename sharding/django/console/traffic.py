"""How busy each shard is: what its statistics have grown by, per second, over a short while.

PostgreSQL counts since a table was made. Two readings of it, some seconds apart, tell a rate; the
earlier ones are kept in the project's cache, so that all its processes show the same.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

from django.core.cache import cache

KEY = "sharding-console-traffic-1"
KEEP = 120  # seconds: what is older says nothing of now
STEP = 10.0  # seconds between two readings that are kept

Counts: TypeAlias = Mapping[str, tuple[int, int]]  # by place: what was read, and what was written
Kept: TypeAlias = list[tuple[float, Counts]]  # by time, the oldest first


class Rate(NamedTuple):
    """Reads and writes per second."""

    reads: float
    writes: float

    @property
    def total(self) -> float:
        """What the colour shows."""
        return self.reads + self.writes


class Traffic(NamedTuple):
    """The rates of all places, and over how many seconds they were taken; 0: not yet known."""

    seconds: float
    rates: Mapping[str, Rate]


def measure(at: float, counts: Counts) -> Traffic:
    """Return the rates since the oldest reading that is kept, and keep this one when it is time."""
    kept = _kept(at)
    if not kept or at - kept[-1][0] >= STEP:
        # Of three readings the oldest is 20 to 30 seconds old: steady enough, and still recent.
        _keep([*kept[-2:], (at, counts)])
    return rates(kept[0], (at, counts)) if kept else Traffic(0, {})


def rates(then: tuple[float, Counts], now: tuple[float, Counts]) -> Traffic:
    """Return what was done per second between two readings.

    A place that is new has no rate, and neither has one whose counts went back: its statistics
    were reset, or another table took its place.
    """
    seconds = now[0] - then[0]
    if seconds <= 0:
        return Traffic(0, {})
    found = {}
    for place, (reads, writes) in now[1].items():
        before = then[1].get(place)
        if before and reads >= before[0] and writes >= before[1]:
            found[place] = Rate((reads - before[0]) / seconds, (writes - before[1]) / seconds)
    return Traffic(seconds, found)


def _kept(at: float) -> Kept:
    kept: Any = None
    with contextlib.suppress(Exception):  # whatever cache it is: without it, no rate is known
        kept = cache.get(KEY)
    return [(then, counts) for then, counts in kept or [] if 0 < at - then < KEEP]


def _keep(kept: Kept) -> None:
    with contextlib.suppress(Exception):
        cache.set(KEY, kept, KEEP)
