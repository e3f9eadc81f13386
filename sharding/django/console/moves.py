"""Shard groups on their way from one node to another, as get_rebalance_progress() tells them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Any

WAITING, RUNNING, DONE = 0, 1, 2  # `progress` of a row


@dataclass(frozen=True, kw_only=True)
class Move:
    """A shard group that moves, is copied or split, or waits for its turn.

    Attributes:
        operation: move, copy or split, as Citus calls it.
        shards: the ids of all the shards that go together.
        size: bytes at the source.
        copied: bytes at the target.
        behind: bytes of the write-ahead log that the target has yet to follow; None if unknown.
    """

    operation: str
    shards: frozenset[int]
    source: str
    target: str
    phase: str
    size: int
    copied: int
    behind: int | None
    is_running: bool

    @property
    def percent(self) -> int:
        """How much of it is at the target. Indexes come late, so 100 may be reached in jumps."""
        return min(100, 100 * self.copied // self.size) if self.size else 0

    @property
    def first_shard(self) -> int:
        """The shard by which the group is called."""
        return min(self.shards)


def moves_of(rows: Iterable[Any]) -> tuple[Move, ...]:
    """Return the moves that run or wait. A move has a row for each of its tables.

    Rows belong together when one session moves them between the same two nodes.
    """
    left = [row for row in rows if row.progress != DONE]
    left.sort(key=_together)
    return tuple(_move(list(of_one)) for _, of_one in groupby(left, key=_together))


def _together(row: Any) -> tuple[Any, ...]:
    source, target = (row.sourcename, row.sourceport), (row.targetname, row.targetport)
    return (row.progress == WAITING, row.sessionid, source, target, row.operation_type)


def _move(rows: list[Any]) -> Move:
    first = rows[0]
    lags = [_bytes(r.source_lsn) - _bytes(r.target_lsn) for r in rows if r.target_lsn]
    return Move(
        operation=first.operation_type,
        shards=frozenset(row.shardid for row in rows),
        source=f"{first.sourcename}:{first.sourceport}",
        target=f"{first.targetname}:{first.targetport}",
        phase=first.status,
        size=sum(row.source_shard_size or 0 for row in rows),
        copied=sum(row.target_shard_size or 0 for row in rows),
        behind=max(0, *lags) if lags else None,
        is_running=first.progress == RUNNING,
    )


def _bytes(lsn: str) -> int:
    """Return a position of the write-ahead log, like 0/3B62648, as a number of bytes."""
    high, _, low = lsn.partition("/")
    return (int(high, 16) << 32) + int(low, 16)
