"""Rows found by what is unique of them beside the shard key: an order's id, a payment's.

Nothing tells on which shard such an id is, so every shard of every table is asked, on purpose; one
statement per table, each of bounded time.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sharding.cluster import Cluster
from sharding.connection import quoted
from sharding.errors import NodeNotAvailable, QueryFailed
from sharding.inspection.placements import Table
from sharding.inspection.spelling import forms

PATIENCE = timedelta(seconds=5)
COLUMNS = """
SELECT i.indrelid::regclass::text AS table, a.attname::text AS column,
       format_type(a.atttypid, NULL) AS type
  FROM pg_dist_partition p JOIN pg_index i ON i.indrelid = p.logicalrelid AND i.indisprimary
  JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
 WHERE p.partmethod = 'h' ORDER BY 1, 2
"""
KEYS = "SELECT DISTINCT {key}::text FROM {table} WHERE {column} = %s::text::{type} LIMIT 10"


@dataclass(frozen=True, kw_only=True)
class Owner:
    """The shard key of rows that were found.

    Attributes:
        key: as text.
        named_by: where the id stood, e.g. `orders_order.id 0190…`.
    """

    key: str
    colocation_id: int
    named_by: str


def owners(
    cluster: Cluster, key: str, tables: Iterable[Table], prefixes: Sequence[str]
) -> list[Owner]:
    """Return whose rows have this id in their primary key, each shard key once."""
    found: dict[tuple[int, str], Owner] = {}
    known = {table.name: table for table in tables}
    for row in cluster.query(COLUMNS):
        table = known.get(row.table)
        if table is None or row.column == table.key_column:
            continue
        for text in forms(key, row.type, prefixes):
            for value in _keys(cluster, table, row.column, row.type, text):
                owner = Owner(key=value, colocation_id=table.colocation_id,
                              named_by=f"{table.name}.{row.column} {text}")  # fmt: skip
                found.setdefault((owner.colocation_id, value), owner)
    return list(found.values())


def _keys(cluster: Cluster, table: Table, column: str, kind: str, text: str) -> Iterator[str]:
    sql = KEYS.format(
        key=quoted(table.key_column or ""), table=table.name, column=quoted(column), type=kind
    )
    try:
        with cluster.coordinator.limited(PATIENCE):
            yield from (row[0] for row in cluster.query(sql, [text]))
    except (QueryFailed, NodeNotAvailable):
        return  # a node is away, or the table too large: the id is not found in it
