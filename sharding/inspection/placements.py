"""Where the shards stand, and how large they are.

The catalogue comes from the coordinator, the sizes from each node by itself: a node that is down
costs its own figures alone, and no figure is a stale one of the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import groupby

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Session
from sharding.errors import InvalidInput, ShardingError, UnknownTable
from sharding.hashing import hash_key

TABLES = """
SELECT p.logicalrelid::oid AS oid, p.logicalrelid::text AS name, p.colocationid AS colocation_id,
       CASE WHEN p.partmethod = 'h' THEN 'distributed'
            WHEN p.repmodel = 't' THEN 'reference'
            WHEN p.colocationid IN (SELECT colocationid FROM pg_dist_schema) THEN 'schema'
            WHEN p.colocationid = 0 THEN 'local' ELSE 'other' END AS kind,
       CASE WHEN p.partkey IS NOT NULL THEN column_to_column_name(p.logicalrelid, p.partkey) END
           AS key_column,
       CASE WHEN c.distributioncolumntype <> 0 THEN format_type(c.distributioncolumntype, NULL) END
           AS key_type,
       pg_get_userbyid(k.relowner) AS owner
  FROM pg_dist_partition p
  JOIN pg_class k ON k.oid = p.logicalrelid
  LEFT JOIN pg_dist_colocation c USING (colocationid)
 ORDER BY p.colocationid, p.logicalrelid::text
"""
PLACEMENTS = """
SELECT s.shardid AS shard_id, s.logicalrelid::oid AS oid, p.groupid AS node_group,
       shard_name(s.logicalrelid, s.shardid) AS relation,
       s.shardminvalue::int AS lowest, s.shardmaxvalue::int AS highest
  FROM pg_dist_shard s JOIN pg_dist_placement p USING (shardid)
 ORDER BY s.logicalrelid::oid, s.shardminvalue::int, s.shardid, p.groupid
"""
# A name that is no table there has the size NULL.
SIZES = """
SELECT name, pg_total_relation_size(to_regclass(name)) AS bytes
  FROM unnest(%s::text[]) AS name
"""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A table that Citus knows.

    Attributes:
        kind: distributed, reference, local (on the coordinator, known to the workers), schema.
        key_column: the distribution column; None for the other kinds.
        key_type: its type as PostgreSQL writes it.
    """

    oid: int
    name: str
    kind: str
    colocation_id: int
    key_column: str | None
    key_type: str | None
    owner: str


@dataclass(frozen=True, kw_only=True)
class Placement:
    """A shard of one table on one node.

    Attributes:
        relation: the name of the shard's own table on its node.
        bytes: with indexes and TOAST; None when the node did not answer or has no such table.
    """

    shard_id: int
    table: str
    relation: str
    node_group: int
    node: str
    lowest: int | None
    highest: int | None
    bytes: int | None = None


@dataclass(frozen=True, kw_only=True)
class ShardGroup:
    """The shards of a colocation group that cover the same hashes: they stand and move together."""

    colocation_id: int
    lowest: int
    highest: int
    node_group: int
    node: str
    placements: tuple[Placement, ...]
    bytes: int | None

    @property
    def id(self) -> int:
        """The smallest shard id of the group, by which commands name it."""
        return min(placement.shard_id for placement in self.placements)

    @property
    def shard_ids(self) -> tuple[int, ...]:
        """The shard ids of all its tables."""
        return tuple(sorted({placement.shard_id for placement in self.placements}))

    def holds(self, hashed: int) -> bool:
        """Whether a key of this hash lives here."""
        return self.lowest <= hashed <= self.highest


@dataclass(frozen=True, kw_only=True)
class Layout:
    """All tables and placements at one moment.

    Attributes:
        silent: nodes that did not tell sizes, and why.
    """

    nodes: tuple[Node, ...]
    tables: tuple[Table, ...]
    placements: tuple[Placement, ...]
    silent: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def shard_groups(self) -> tuple[ShardGroup, ...]:
        """The shard groups of the distributed tables, by colocation group and hash."""
        colocations = {t.name: t.colocation_id for t in self.tables if t.kind == "distributed"}

        def key(placement: Placement) -> tuple[int, int, int]:
            return colocations[placement.table], placement.lowest or 0, placement.node_group

        hashed = sorted((p for p in self.placements if p.table in colocations), key=key)
        return tuple(_group(number, list(p)) for (number, _, _), p in groupby(hashed, key=key))

    def home_of(self, colocation_id: int, key: str) -> ShardGroup | None:
        """Return the shard group of a key; None when it is no key of that colocation group."""
        members = self.tables_of(colocation_id)
        try:
            hashed = hash_key(key, (members[0].key_type or "") if members else "")
        except InvalidInput:
            return None
        groups = (group for group in self.shard_groups if group.colocation_id == colocation_id)
        return next((group for group in groups if group.holds(hashed)), None)

    def table(self, name: str) -> Table:
        """Return a table by its name; UnknownTable when Citus knows none of that name."""
        for table in self.tables:
            if table.name == name:
                return table
        names = ", ".join(t.name for t in self.tables) or "none"
        raise UnknownTable(f"Citus knows no table {name}; the tables are: {names}.")

    def tables_of(self, colocation_id: int) -> tuple[Table, ...]:
        """Return the tables of a colocation group."""
        return tuple(t for t in self.tables if t.colocation_id == colocation_id)

    def distributed(self) -> dict[int, tuple[Table, ...]]:
        """Return the distributed tables by colocation group."""
        ids = {t.colocation_id for t in self.tables if t.kind == "distributed"}
        return {number: self.tables_of(number) for number in sorted(ids)}

    def bytes_on(self, node: str) -> int | None:
        """Return what the placements on a node take; None when the node did not tell."""
        if node in self.silent:
            return None
        return sum(p.bytes or 0 for p in self.placements if p.node == node)

    def shard_group_of(self, shard_id: int) -> ShardGroup:
        """Return the shard group that a shard belongs to; UnknownTable when there is none."""
        for group in self.shard_groups:
            if shard_id in group.shard_ids:
                return group
        raise UnknownTable(f"There is no shard {shard_id} of a distributed table.")


def read(cluster: Cluster, *, sizes: bool = True) -> Layout:
    """Return the layout; with `sizes`, asked of every node that holds placements."""
    nodes = cluster.nodes()
    names = {node.group: node.name for node in nodes if node.is_primary}
    tables = tuple(Table(**row._asdict()) for row in cluster.query(TABLES))
    by_oid = {table.oid: table.name for table in tables}
    placements = [
        Placement(
            shard_id=row.shard_id,
            table=by_oid[row.oid],
            relation=row.relation,
            node_group=row.node_group,
            node=names.get(row.node_group, f"group {row.node_group} (not in pg_dist_node)"),
            lowest=row.lowest,
            highest=row.highest,
        )
        for row in cluster.query(PLACEMENTS)
        if row.oid in by_oid
    ]
    measured, silent = _measure(cluster, nodes, placements) if sizes else ({}, {})
    return Layout(
        nodes=tuple(nodes),
        tables=tables,
        placements=tuple(
            replace(p, bytes=measured.get((p.node_group, p.relation))) for p in placements
        ),
        silent={node.name: str(error) for node, error in silent.items()},
    )


def balance(groups: Iterable[ShardGroup], nodes: Iterable[str]) -> dict[str, int]:
    """Return the bytes of shard groups per node, 0 for a node that has none."""
    sums = dict.fromkeys(nodes, 0)
    for group in groups:
        sums[group.node] = sums.get(group.node, 0) + (group.bytes or 0)
    return sums


def imbalance(figures: Iterable[float]) -> float:
    """Return by how much the largest figure exceeds the mean: 0 is even, 1 is twice the mean."""
    listed = list(figures)
    mean = sum(listed) / len(listed) if listed else 0
    return max(listed) / mean - 1 if mean else 0.0


def _measure(
    cluster: Cluster, nodes: list[Node], placements: list[Placement]
) -> tuple[dict[tuple[int, str], int | None], dict[Node, ShardingError]]:
    relations: dict[int, list[str]] = {}
    for placement in placements:
        relations.setdefault(placement.node_group, []).append(placement.relation)
    holders = [node for node in nodes if node.is_primary and node.group in relations]
    groups = {node.name: node.group for node in holders}

    def ask(session: Session) -> dict[str, int | None]:
        return dict(session.query(SIZES, [relations[groups[session.name]]]))

    told, silent = split_answers(cluster.on_each(holders, ask))
    sizes = {(node.group, name): size for node, s in told.items() for name, size in s.items()}
    return sizes, silent


def _group(colocation_id: int, members: list[Placement]) -> ShardGroup:
    first = members[0]
    sizes = [member.bytes for member in members]
    return ShardGroup(
        colocation_id=colocation_id,
        lowest=first.lowest or 0,
        highest=first.highest or 0,
        node_group=first.node_group,
        node=first.node,
        placements=tuple(sorted(members, key=lambda p: p.table)),
        bytes=None if None in sizes else sum(size for size in sizes if size is not None),
    )
