"""From a plan to the steps that carry it out; and whether there is room for what comes."""

from __future__ import annotations

from collections.abc import Iterable

from sharding.cluster import Cluster, Node
from sharding.errors import Blocked, InvalidInput
from sharding.figures import bytes_
from sharding.inspection import placements
from sharding.inspection.plan import Plan
from sharding.moving import steps
from sharding.moving.steps import Mode, Step

FREE = """
SELECT available_disk_size AS free, total_disk_size AS size FROM citus_local_disk_space_stats()
"""
RESERVED = "SELECT current_setting('citus.desired_percent_disk_available_after_move')::float / 100"


def to_steps(cluster: Cluster, plan: Plan, *, mode: Mode, limit: int | None = None) -> list[Step]:
    """Return the steps of a rebalance or a drain, at most `limit` of them."""
    layout = placements.read(cluster)
    nodes = {node.name: node for node in layout.nodes if node.is_primary}
    return [
        steps.move(
            layout.shard_group_of(move.shard),
            source=nodes[move.source],
            target=nodes[move.target],
            mode=mode,
        )
        for move in plan.moves[:limit]
    ]


def single(cluster: Cluster, shard: int, to: Node, *, mode: Mode) -> Step:
    """Return the move of one shard group.

    Raises:
        InvalidInput: it is there already, or the node may not hold shards.
        Blocked: the node has no room.
    """
    layout = placements.read(cluster)
    group = layout.shard_group_of(shard)
    if group.node_group == to.group:
        raise InvalidInput(f"Shard group {group.id} is on {to.name} already.")
    if not to.should_have_shards:
        raise InvalidInput(f"{to.name} is not to hold shards (shouldhaveshards is off).")
    source = next(n for n in layout.nodes if n.group == group.node_group and n.is_primary)
    step = steps.move(group, source=source, target=to, mode=mode)
    require_room(cluster, [step])
    return step


def is_needed(cluster: Cluster, step: Step) -> bool:
    """Whether the shard group still lies where the step takes it from."""
    if not step.shard:
        return True
    layout = placements.read(cluster, sizes=False)
    return any(
        step.shard == placement.shard_id and step.source.group == placement.node_group
        for placement in layout.placements
    )


def require_room(cluster: Cluster, made: Iterable[Step]) -> None:
    """Refuse when a node that shards come to has no room for all of them.

    Raises:
        Blocked: it has none; Citus would notice only move by move.
    """
    listed = list(made)
    reserved = float(cluster.value(RESERVED) or 0)
    for node in {step.target for step in listed}:
        coming = sum(step.bytes for step in listed if step.target == node)
        with cluster.on(node) as session:
            disk = session.row(FREE)
        if disk and disk.free - coming < disk.size * reserved:
            raise Blocked(
                f"{node.name} has no room: {bytes_(coming)} would come, {bytes_(disk.free)} are"
                f" free, and {bytes_(disk.size * reserved)} are to stay free"
                " (citus.desired_percent_disk_available_after_move)."
            )
