"""Splitting a shard group: in two, or so that one key has a group of its own."""

from __future__ import annotations

from sharding.cluster import Cluster, Node
from sharding.errors import Blocked, InvalidInput
from sharding.inspection import placements
from sharding.inspection.placements import ShardGroup
from sharding.inspection.whereabouts import Place
from sharding.moving import plans
from sharding.moving.steps import Mode, Step

# Citus reads the key as a value of the distribution column's type.
ISOLATE = """
SELECT isolate_tenant_to_new_shard(
       %s::regclass, %s::text, 'CASCADE', %s::citus.shard_transfer_mode)
"""
SPLIT = """
SELECT citus_split_shard_by_split_points(
       %s, %s::text[], %s::integer[], %s::citus.shard_transfer_mode)
"""
# New in PostgreSQL's minor releases; Citus splits with a decoder of its own.
PLUGINS = "SELECT setting FROM pg_settings WHERE name = 'output_plugin_libraries'"
NEEDED = "citus"


def isolate(cluster: Cluster, place: Place, *, mode: Mode) -> Step:
    """Return the step that gives a key a shard group of its own, on the node where it is.

    Raises:
        InvalidInput: it has one already.
        Blocked: a prerequisite is missing.
    """
    layout = placements.read(cluster)
    group = layout.shard_group_of(place.shard_group)
    if group.lowest == group.highest:
        raise InvalidInput(f"{place.key} has shard group {group.id} for itself already.")
    node = _node(cluster, group)
    _require_room_and_plugin(cluster, group, node, mode)
    table = place.shards[0].table
    return Step(
        kind="isolate", shard=group.id, tables=tuple(p.table for p in group.placements),
        bytes=group.bytes or 0, source=node, target=node,
        sql=ISOLATE, parameters=(table, place.key, mode.value), keyless=mode is Mode.LOGICAL,
    )  # fmt: skip


def split(
    cluster: Cluster, shard: int, *, at: int | None, to: Node | None, mode: Mode
) -> tuple[Step, int]:
    """Return the step that splits a shard group in two, and the last hash of its lower half.

    Args:
        at: the last hash of the lower half; None: the middle.
        to: the node of the upper half; None: where the group is.

    Raises:
        InvalidInput: it holds a single hash, or `at` is not inside it.
        Blocked: a prerequisite is missing.
    """
    layout = placements.read(cluster)
    group = layout.shard_group_of(shard)
    point = (group.lowest + group.highest) // 2 if at is None else at
    if not group.lowest <= point < group.highest:
        raise InvalidInput(
            f"Shard group {group.id} covers the hashes {group.lowest} to {group.highest}; it can"
            f" be split at {group.lowest} to {group.highest - 1}, not at {point}."
            if group.lowest < group.highest
            else f"Shard group {group.id} holds a single hash and cannot be split."
        )
    node = _node(cluster, group)
    target = to or node
    if to and not to.should_have_shards:
        raise InvalidInput(f"{to.name} is not to hold shards (shouldhaveshards is off).")
    _require_room_and_plugin(cluster, group, node, mode)
    step = Step(
        kind="split", shard=group.id, tables=tuple(p.table for p in group.placements),
        bytes=group.bytes or 0, source=node, target=target, sql=SPLIT,
        parameters=(group.id, [str(point)], [node.id, target.id], mode.value),
        keyless=mode is Mode.LOGICAL,
    )  # fmt: skip
    return step, point


def ranges(group: ShardGroup, hashed: int) -> list[tuple[int, int]]:
    """Return the hash ranges that a group falls into when one hash is isolated."""
    parts = [(group.lowest, hashed - 1), (hashed, hashed), (hashed + 1, group.highest)]
    return [(low, high) for low, high in parts if low <= high]


def within(cluster: Cluster, group: ShardGroup) -> list[ShardGroup]:
    """Return the groups that now cover what `group` covered, with their sizes."""
    return [
        found for found in placements.read(cluster).shard_groups
        if found.colocation_id == group.colocation_id
        and group.lowest <= found.lowest and found.highest <= group.highest
    ]  # fmt: skip


def _node(cluster: Cluster, group: ShardGroup) -> Node:
    return next(n for n in cluster.primaries() if n.group == group.node_group)


def _require_room_and_plugin(cluster: Cluster, group: ShardGroup, node: Node, mode: Mode) -> None:
    """The rows are copied beside the old shard; both take room until that one is dropped."""
    copy = Step(
        kind="split", shard=group.id, tables=(), bytes=group.bytes or 0, source=node,
        target=node, sql="", parameters=(),
    )  # fmt: skip
    plans.require_room(cluster, [copy])
    if mode is not Mode.LOGICAL:
        return
    with cluster.on(node) as session:
        allowed = session.value(PLUGINS)
    if allowed is not None and NEEDED not in [name.strip(' "') for name in allowed.split(",")]:
        raise Blocked(
            f"{node.name} does not let Citus decode for a split: add citus to"
            f" output_plugin_libraries ({allowed}) on every node, e.g. ALTER SYSTEM SET"
            " output_plugin_libraries = pgoutput, citus; and reload. Nothing was changed."
        )
