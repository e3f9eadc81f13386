"""Is the cluster as the models declare it, and could its tables be moved and split?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from sharding.cluster import Cluster
from sharding.inspection.findings import Finding, Severity
from sharding.inspection.placements import Layout, Table
from sharding.inspection.preflight.facts import TableIdentity, identities
from sharding.inspection.preflight.tables import has_identity

# As many tables as this per node make planning and each DDL statement slow.
MANY_TABLES = 5000
IDENTITY_COLUMNS = """
SELECT a.attrelid::regclass::text AS table, a.attname AS column
  FROM pg_attribute a JOIN pg_dist_partition p ON p.logicalrelid = a.attrelid
 WHERE p.partmethod = 'h' AND a.attidentity <> '' AND NOT a.attisdropped
 ORDER BY 1, 2
"""


def inspect(
    cluster: Cluster, layout: Layout, declared: Mapping[str, tuple[str, str | None]]
) -> list[Finding]:
    """Return where the cluster differs from the models, and what its tables lack.

    Args:
        cluster: where.
        layout: the tables and shards.
        declared: placement (distributed, reference, local) and shard key by table name.
    """
    return [
        *_placements(layout, declared),
        *_identities(identities(cluster, layout, tuple(layout.distributed()))),
        *_identity_columns(cluster),
        *_shard_counts(layout),
    ]


def _placements(
    layout: Layout, declared: Mapping[str, tuple[str, str | None]]
) -> Iterator[Finding]:
    known = {table.name: table for table in layout.tables}
    for name, (kind, key) in sorted(declared.items()):
        table = known.get(name)
        # What Citus knows and keeps on the coordinator is local all the same.
        found = table.kind if table else "local"
        if found != kind:
            yield _error(
                "placement-differs",
                f"{name} is declared {kind}, but is {found if table else 'not known to Citus'}.",
                remedy="Run the migrations on this cluster; a table with rows:"
                " create_distributed_table_concurrently.",
            )
        elif table and key and table.key_column != key:
            yield _error(
                "key-differs",
                f"{name} is declared to be distributed by {key}, but is by {table.key_column}.",
                remedy="Correct the declaration, or alter_distributed_table.",
            )
    for name, table in sorted(known.items()):
        if name not in declared and table.kind != "local":
            yield _warning(
                "undeclared-table",
                f"{name} is {table.kind} in the cluster, but no model declares it.",
                remedy="Drop it if nobody needs it any more: it moves with its group.",
            )


def _identities(tables: tuple[TableIdentity, ...]) -> Iterator[Finding]:
    for table in tables:
        if not has_identity(table):
            yield _error(
                "replica-identity",
                f"{table.name} has no primary key and no other replica identity.",
                remedy="Without one its whole group moves only while writes are blocked.",
            )


def _identity_columns(cluster: Cluster) -> Iterator[Finding]:
    for row in cluster.query(IDENTITY_COLUMNS):
        yield _error(
            "identity-column",
            f"{row.table}.{row.column} is an identity column of a distributed table.",
            remedy="Its shard count can never be changed again; make ids in the application.",
        )


def _shard_counts(layout: Layout) -> Iterator[Finding]:
    takers = [node for node in layout.nodes if node.should_have_shards and node.is_primary]
    for members in layout.distributed().values():
        shards = len(_shards(layout, members[0]))
        names = ", ".join(table.name for table in members)
        if takers and shards < 2 * len(takers):
            yield _warning(
                "few-shards",
                f"The group of {names} has {shards} shards for {len(takers)} nodes: it cannot be"
                " spread over many more.",
                remedy="shardctl split, or alter_distributed_table(…, shard_count, cascade).",
            )
        if shards * len(members) > MANY_TABLES:
            yield _warning(
                "many-shards",
                f"The group of {names} is {shards * len(members):,} tables.",
                remedy="Planning and DDL take time per shard: fewer shards are enough.",
            )


def _shards(layout: Layout, table: Table) -> set[int]:
    return {p.shard_id for p in layout.placements if p.table == table.name}


def _error(code: str, message: str, *, remedy: str) -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=message, remedy=remedy)


def _warning(code: str, message: str, *, remedy: str) -> Finding:
    return Finding(code=code, severity=Severity.WARNING, message=message, remedy=remedy)
