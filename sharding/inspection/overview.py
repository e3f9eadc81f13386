"""The whole cluster on one page: what `shardctl status` prints."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from sharding.cluster import Cluster
from sharding.figures import bytes_, percent
from sharding.inspection import activity
from sharding.inspection.activity import Job, Move
from sharding.inspection.findings import Finding, Severity
from sharding.inspection.nodes import Link
from sharding.inspection.placements import Layout, imbalance
from sharding.inspection.preflight import facts, nodes, state, tables
from sharding.inspection.preflight.facts import Facts, NodeState

UNEVEN = 0.25
LONG = timedelta(minutes=5)
CHECKS = (
    nodes.unregistered,
    nodes.unreachable,
    nodes.broken_links,
    nodes.inactive,
    nodes.metadata,
    nodes.versions,
    nodes.without_shards,
    nodes.shards_on_the_coordinator,
    tables.missing_references,
    state.left_behind,
    state.disagreeing,
)
# A cluster of one worker is no problem as long as nothing is to be moved.
IRRELEVANT = {"nowhere-to-move"}


@dataclass(frozen=True, kw_only=True)
class NodeStatus:
    """One node: figures are None when it does not answer.

    Attributes:
        role: coordinator, worker, or what pg_dist_node calls a standby.
        shards: shard groups that stand there.
        bytes: of all placements, reference tables included.
    """

    name: str
    role: str
    is_up: bool
    silence: str
    takes_shards: bool
    shards: int
    bytes: int | None
    connections: int | None
    active: int | None
    max_connections: int | None
    disk_free: int | None
    disk_total: int | None
    postgresql: str | None
    citus: str | None


@dataclass(frozen=True, kw_only=True)
class GroupStatus:
    """One colocation group."""

    id: int
    key_type: str | None
    tables: tuple[str, ...]
    shards: int
    bytes: int | None


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Nodes, groups, what runs, and what is wrong."""

    database: str
    postgresql: str
    citus: str
    nodes: tuple[NodeStatus, ...]
    links: tuple[Link, ...]
    groups: tuple[GroupStatus, ...]
    reference_tables: tuple[str, ...]
    jobs: tuple[Job, ...]
    moves: tuple[Move, ...]
    findings: tuple[Finding, ...]


def inspect(cluster: Cluster) -> Overview:
    """Return the overview; nodes that are down cost some seconds and their own figures."""
    found = facts.collect(cluster, groups=None, wal_headroom=None, long=LONG)
    judged = [finding for check in CHECKS for finding in check(found)]
    judged += uneven(found)
    layout = found.layout
    return Overview(
        database=cluster.database,
        postgresql=cluster.postgresql_version,
        citus=next((s.facts.library for s in found.nodes if s.facts), cluster.citus_version),
        nodes=tuple(_node(state_, layout) for state_ in found.nodes),
        links=found.links,
        groups=tuple(_group(layout, number) for number in layout.distributed()),
        reference_tables=tuple(t.name for t in layout.tables if t.kind == "reference"),
        jobs=found.jobs,
        moves=tuple(activity.moves(cluster)),
        findings=tuple(
            sorted(
                (f for f in judged if f.code not in IRRELEVANT),
                key=lambda f: f.severity is not Severity.ERROR,
            )
        ),
    )


def uneven(found: Facts) -> list[Finding]:
    """Nodes that hold much more than the others: more than one shard group could even out."""
    takers = [s.node.name for s in found.nodes if s.node.should_have_shards and not s.silence]
    groups = [g for g in found.layout.shard_groups if g.node in takers]
    if len(takers) < 2 or not groups:
        return []
    held = {name: sum(g.bytes or 0 for g in groups if g.node == name) for name in takers}
    counts = {name: sum(g.node == name for g in groups) for name in takers}
    fullest = max(takers, key=lambda name: held[name])
    total = sum(held.values())
    excess = held[fullest] - total / len(takers)
    largest = max(g.bytes or 0 for g in groups)
    empty = [name for name in takers if not counts[name]]
    if not empty and (imbalance(held.values()) < UNEVEN or excess < largest):
        return []
    message = (
        f"{', '.join(empty)} hold{'s' if len(empty) == 1 else ''} no shards."
        if empty
        else f"{fullest} holds {percent(held[fullest] / total)} of the shards' bytes:"
        f" {bytes_(excess)} more than its share."
    )
    return [
        Finding(
            code="imbalance",
            severity=Severity.WARNING,
            message=message,
            remedy="shardctl plan shows what a rebalance would move.",
        )
    ]


def _node(found: NodeState, layout: Layout) -> NodeStatus:
    node, told = found.node, found.facts
    return NodeStatus(
        name=node.name,
        role=("coordinator" if node.is_coordinator else "worker") if node.is_primary else node.role,
        is_up=told is not None,
        silence=found.silence,
        takes_shards=node.should_have_shards,
        shards=sum(group.node == node.name for group in layout.shard_groups),
        bytes=layout.bytes_on(node.name) if told else None,
        connections=told.connections if told else None,
        active=told.active if told else None,
        max_connections=told.max_connections if told else None,
        disk_free=told.disk_free if told else None,
        disk_total=told.disk_total if told else None,
        postgresql=told.postgresql if told else None,
        citus=told.library if told else None,
    )


def _group(layout: Layout, number: int) -> GroupStatus:
    members = layout.tables_of(number)
    groups = [group for group in layout.shard_groups if group.colocation_id == number]
    sizes = [group.bytes for group in groups]
    return GroupStatus(
        id=number,
        key_type=members[0].key_type,
        tables=tuple(table.name for table in members),
        shards=len(groups),
        bytes=None if None in sizes else sum(size for size in sizes if size is not None),
    )
