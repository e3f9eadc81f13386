"""What a rebalance or a drain would move, how long it would take, and what writers would feel.

Which shards move is the server's own plan (get_rebalance_table_shards_plan): its strategies see
real sizes. The sizes that it prints are the catalogue's stale ones, so bytes are measured here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Session
from sharding.errors import InvalidInput
from sharding.inspection import placements
from sharding.inspection.placements import Layout, ShardGroup
from sharding.inspection.speed import Speed, measure

BY_SIZE, BY_SHARDS = "by_disk_size", "by_shard_count"
STRATEGIES = "SELECT name::text, default_strategy FROM pg_dist_rebalance_strategy"
REBALANCE = """
SELECT shardid AS shard_id, sourcename || ':' || sourceport AS source,
       targetname || ':' || targetport AS target
  FROM get_rebalance_table_shards_plan(
       rebalance_strategy => %s, threshold => %s, drain_only => %s)
"""
TAKES_NO_SHARDS = "SELECT citus_set_node_property(%s, %s, 'shouldhaveshards', false)"
WRITERS = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - xact_start)), 0)::float
  FROM pg_stat_activity
 WHERE backend_type = 'client backend' AND backend_xid IS NOT NULL AND pid <> pg_backend_pid()
"""


@dataclass(frozen=True, kw_only=True)
class Move:
    """One shard group that would move.

    Attributes:
        shard: the smallest shard id of the group.
        seconds: expected for the copy, its set-up included.
    """

    number: int
    colocation_id: int
    shard: int
    tables: tuple[str, ...]
    source: str
    target: str
    bytes: int | None
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Stall:
    """For how long writes to one shard group would wait while it changes place.

    Attributes:
        seconds: the catch-up, and the longest writing transaction if it went on as long again.
        longest_writer_seconds: the age of the oldest transaction that has written, now.
    """

    seconds: float
    catch_up_seconds: float
    longest_writer_seconds: float


@dataclass(frozen=True, kw_only=True)
class NodeLoad:
    """What a node holds before and after."""

    node: str
    shards_before: int
    bytes_before: int
    shards_after: int
    bytes_after: int


@dataclass(frozen=True, kw_only=True)
class Plan:
    """The moves, in the order in which they would be made, one after another."""

    strategy: str
    drains: str | None
    moves: tuple[Move, ...]
    bytes: int
    seconds: float
    speed: Speed
    stall: Stall
    nodes: tuple[NodeLoad, ...]


def inspect(
    cluster: Cluster,
    *,
    strategy: str | None = None,
    threshold: float | None = None,
    drain: Node | None = None,
    throughput: float | None = None,
) -> Plan:
    """Return the plan.

    Args:
        cluster: where; not read-only for `drain`, whose mark is set in a transaction that is
            rolled back.
        strategy: by_disk_size, by_shard_count, or one of the cluster's own; None: its default.
        threshold: how uneven nodes may stay, instead of the strategy's own (0.1 = 10 %).
        drain: empty this node instead of evening out.
        throughput: bytes per second, when the caller knows better.

    Raises:
        InvalidInput: no such strategy.
        NodeNotAvailable: a node is silent: shards could neither leave nor reach it.
    """
    chosen = _strategy(cluster, strategy)
    layout = placements.read(cluster)
    speed = measure(cluster, throughput)
    cluster.require_all()  # the server's own sentence would not say which node is silent
    rows = _drain(cluster, chosen, drain) if drain else _rebalance(cluster, chosen, threshold)
    moves = tuple(_moves(layout, rows, speed))
    return Plan(
        strategy=chosen,
        drains=drain.name if drain else None,
        moves=moves,
        bytes=sum(move.bytes or 0 for move in moves),
        seconds=sum(move.seconds for move in moves),
        speed=speed,
        stall=stall(cluster, speed),
        nodes=tuple(_loads(layout, moves)),
    )


def stall(cluster: Cluster, speed: Speed) -> Stall:
    """Return what writers to a moving shard group have to expect now."""

    def ask(session: Session) -> float:
        return float(session.value(WRITERS))

    told, _ = split_answers(cluster.on_each(cluster.primaries(), ask))
    longest = max(told.values(), default=0.0)
    return Stall(
        seconds=speed.blocked_seconds + longest,
        catch_up_seconds=speed.blocked_seconds,
        longest_writer_seconds=longest,
    )


def _strategy(cluster: Cluster, wanted: str | None) -> str:
    known = {row.name: row.default_strategy for row in cluster.query(STRATEGIES)}
    if wanted is None:
        return next((name for name, is_default in known.items() if is_default), BY_SIZE)
    if wanted not in known:
        names = ", ".join(sorted(known))
        raise InvalidInput(f"There is no strategy {wanted}; the strategies are: {names}.")
    return wanted


def _rebalance(
    cluster: Cluster, strategy: str, threshold: float | None, *, drain_only: bool = False
) -> list[tuple[int, str, str]]:
    rows = cluster.query(REBALANCE, [strategy, threshold, drain_only])
    return [(row.shard_id, row.source, row.target) for row in rows]


def _drain(cluster: Cluster, strategy: str, node: Node) -> list[tuple[int, str, str]]:
    """Ask for the plan as it would be if the node took no shards, and take that back."""
    session = cluster.coordinator
    session.execute("BEGIN")
    try:
        session.execute(TAKES_NO_SHARDS, [node.host, node.port])
        rows = _rebalance(cluster, strategy, None, drain_only=True)
    finally:
        session.execute("ROLLBACK")
    # Another node may be marked as well; its shards are not asked for.
    return [row for row in rows if row[1] == node.name]


def _moves(layout: Layout, rows: Iterable[tuple[int, str, str]], speed: Speed) -> Iterator[Move]:
    """The server lists every shard of a group; here a group is one move."""
    seen: dict[tuple[int, str], ShardGroup] = {}
    for shard_id, source, target in rows:
        group = layout.shard_group_of(shard_id)
        if (group.id, target) in seen:
            continue
        seen[group.id, target] = group
        size = group.bytes or 0
        yield Move(
            number=len(seen),
            colocation_id=group.colocation_id,
            shard=group.id,
            tables=tuple(placement.table for placement in group.placements),
            source=source,
            target=target,
            bytes=group.bytes,
            seconds=speed.seconds(size),
        )


def _loads(layout: Layout, moves: Iterable[Move]) -> Iterator[NodeLoad]:
    moved = {move.shard: move.target for move in moves}
    groups = layout.shard_groups
    after = [(moved.get(group.id, group.node), group) for group in groups]
    for node in layout.nodes:
        held = [group for group in groups if group.node == node.name]
        kept = [group for name, group in after if name == node.name]
        if node.is_primary and (node.should_have_shards or held or kept):
            yield NodeLoad(
                node=node.name,
                shards_before=len(held),
                bytes_before=sum(group.bytes or 0 for group in held),
                shards_after=len(kept),
                bytes_after=sum(group.bytes or 0 for group in kept),
            )
