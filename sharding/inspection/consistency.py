"""Do all nodes agree on what the cluster is, and does every shard look as it should?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Session
from sharding.inspection.checksums import Difference, Sums
from sharding.inspection.findings import Finding, Severity
from sharding.inspection.placements import Layout

# One digest per catalogue. Left out: what a node may know otherwise (statistics, sync states).
METADATA = """
SELECT 'pg_dist_node' AS catalogue,
       md5(string_agg(concat_ws(',', nodeid, groupid, nodename, nodeport, noderole, isactive,
                                shouldhaveshards), ';' ORDER BY nodeid)) AS digest
  FROM pg_dist_node
UNION ALL
SELECT 'pg_dist_partition',
       md5(string_agg(concat_ws(',', logicalrelid::text, partmethod, colocationid, repmodel,
                                column_to_column_name(logicalrelid, partkey)), ';'
                      ORDER BY logicalrelid::text))
  FROM pg_dist_partition
UNION ALL
SELECT 'pg_dist_shard',
       md5(string_agg(concat_ws(',', logicalrelid::text, shardid, shardminvalue, shardmaxvalue),
                      ';' ORDER BY shardid))
  FROM pg_dist_shard
UNION ALL
SELECT 'pg_dist_placement',
       md5(string_agg(concat_ws(',', shardid, groupid), ';' ORDER BY shardid, groupid))
  FROM pg_dist_placement
UNION ALL
SELECT 'pg_dist_colocation',
       md5(string_agg(concat_ws(',', colocationid, shardcount, distributioncolumntype::regtype),
                      ';' ORDER BY colocationid))
  FROM pg_dist_colocation
"""
SHAPES = """
SELECT name, to_regclass(name) IS NOT NULL AS is_there,
       (SELECT string_agg(concat_ws(' ', attname, format_type(atttypid, atttypmod),
                                    CASE WHEN attnotnull THEN 'not null' END), ', '
                          ORDER BY attname)
          FROM pg_attribute
         WHERE attrelid = to_regclass(name) AND attnum > 0 AND NOT attisdropped)
       || '; indexes: ' ||
       (SELECT count(*) FROM pg_index WHERE indrelid = to_regclass(name))
       || '; constraints: ' ||
       (SELECT count(*) FROM pg_constraint WHERE conrelid = to_regclass(name)
                                             AND contype IN ('c', 'u', 'p', 'x')) AS shape
  FROM unnest(%s::text[]) AS name
"""


def inspect(cluster: Cluster, layout: Layout) -> list[Finding]:
    """Return where nodes disagree, and shards that are missing or not like the others."""
    nodes = [node for node in cluster.primaries() if node.is_active]
    return [*_metadata(cluster, nodes), *_shapes(cluster, layout, nodes)]


def of_sums(sums: Sums, differences: Iterable[Difference]) -> list[Finding]:
    """Return what counting the rows has brought to light."""
    found = [
        _error("not-counted", sentence, remedy="Bring the node back.") for sentence in sums.missing
    ]
    for same in sums.differing:
        each = ", ".join(f"{s.rows:,} rows on {s.node}" for s in same)
        found.append(
            _error(
                "copies-differ",
                f"The copies of shard {same[0].shard_id} of {same[0].table} differ: {each}.",
                remedy="Decide which copy is right; a reference table may be written meanwhile:"
                " verify again, with --block-writes.",
            )
        )
    found += [
        _error(
            "rows-differ",
            difference.sentence,
            remedy="Rows written in between explain it; if nobody wrote, look for them on the old"
            " placement before it is dropped.",
        )
        for difference in differences
    ]
    return found


def _metadata(cluster: Cluster, nodes: list[Node]) -> Iterator[Finding]:
    def ask(session: Session) -> dict[str, str | None]:
        return dict(session.query(METADATA))

    told, silent = split_answers(cluster.on_each([n for n in nodes if n.has_metadata], ask))
    for node, error in silent.items():
        yield _error("node-unreachable", str(error), remedy="Start the node.", node=node.name)
    first = next((told[node] for node in told if node.is_coordinator), None)
    for node, digests in told.items():
        other = [name for name, digest in digests.items() if first and digest != first[name]]
        if other:
            yield _error(
                "metadata-differs",
                f"{node.name} does not know the same {', '.join(other)} as the coordinator.",
                remedy="SELECT start_metadata_sync_to_all_nodes();",
                node=node.name,
            )


def _shapes(cluster: Cluster, layout: Layout, nodes: list[Node]) -> Iterator[Finding]:
    tables = {(p.node, p.relation): p.table for p in layout.placements}

    def ask(session: Session) -> list[tuple[str, bool, str | None]]:
        mine = [relation for name, relation in tables if name == session.name]
        return [tuple(row) for row in session.query(SHAPES, [mine])]

    told, _ = split_answers(cluster.on_each(nodes, ask))
    seen = [(node.name, *shape) for node, shapes in told.items() for shape in shapes]
    usual = {
        table: Counter(
            shape for name, relation, _, shape in seen if tables[name, relation] == table
        ).most_common(1)
        for table in set(tables.values())
    }
    for name, relation, is_there, shape in seen:
        table = tables[name, relation]
        if not is_there:
            yield _error(
                "shard-missing",
                f"{name} should hold {relation} of {table}, but has no such table.",
                remedy="Restore it from a backup, or from an orphan of the same name elsewhere.",
                node=name,
            )
        elif shape != usual[table][0][0]:
            yield _error(
                "shard-differs",
                f"{relation} on {name} is not built as the other shards of {table}.",
                remedy=f"Compare \\d {relation} with another shard; a DDL statement was cut off.",
                node=name,
            )


def _error(code: str, message: str, *, remedy: str, node: str = "") -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=message, remedy=remedy, node=node)
