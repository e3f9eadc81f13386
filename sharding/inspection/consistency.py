"""Do all nodes agree on what the cluster is, and does every shard look as it should?"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Session
from sharding.errors import NodesDisagree
from sharding.inspection import agreement, placements
from sharding.inspection.checksums import Difference, Sums
from sharding.inspection.findings import Finding, Severity
from sharding.inspection.placements import Layout

LOOK_FOR_IT = (
    "Move and fix nothing. Look for the table on the other nodes and in shardctl_quarantine, then"
    " in a backup: docs/sharding.md, “Nodes disagree”."
)
LOOKS = 3
PAUSE_SECONDS = 0.5
SHOWN = 3
# With one of these, nobody can say which table is superfluous.
FORBIDS = {"metadata-differs", "shard-disputed", "shard-missing", "shard-unplaced"}
FLEETING = FORBIDS | {"shard-differs"}
UNPLACED = """
SELECT shard_name(logicalrelid, shardid) AS relation FROM pg_dist_shard
 WHERE NOT EXISTS (SELECT FROM pg_dist_placement p WHERE p.shardid = pg_dist_shard.shardid)
 ORDER BY 1
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


def inspect(cluster: Cluster, layout: Layout | None = None) -> list[Finding]:
    """Return where nodes disagree, and shards that are missing or not like the others.

    A change that commits meanwhile is seen by one node before the other: what differs is looked at
    again, and reported when it stays so.
    """
    found = _look(cluster, layout)
    for _ in range(LOOKS - 1):
        if not any(finding.code in FLEETING for finding in found):
            break
        time.sleep(PAUSE_SECONDS)
        found = _look(cluster, None)
    return found


def require_sound(cluster: Cluster) -> None:
    """Refuse while nodes disagree or a placement has no table: whatever is done may be wrong.

    Raises:
        NodesDisagree: naming what differs. Silence of a node is no disagreement.
    """
    found = [finding for finding in inspect(cluster) if finding.code in FORBIDS]
    if found:
        shown = " ".join(finding.message for finding in found[:SHOWN])
        more = f" ({len(found) - SHOWN} more.)" if len(found) > SHOWN else ""
        raise NodesDisagree(
            f"The nodes do not agree on where the shards are. {shown}{more} Nothing was changed."
            " `shardctl verify --no-checksums` names all of it; docs/sharding.md, “Nodes"
            " disagree”, says how to decide."
        )


def doubts(cluster: Cluster) -> list[Finding]:
    """Return why nothing may be removed now: disagreement, missing placements, silent nodes."""
    return [f for f in inspect(cluster) if f.code in FORBIDS or f.code == "node-unreachable"]


def _look(cluster: Cluster, layout: Layout | None) -> list[Finding]:
    layout = layout or placements.read(cluster, sizes=False)
    nodes = [node for node in layout.nodes if node.is_primary and node.is_active]
    return [*agreement.inspect(cluster, nodes), *_unplaced(cluster),
            *_shapes(cluster, layout, nodes)]  # fmt: skip


def of_sums(sums: Sums, differences: Iterable[Difference]) -> list[Finding]:
    """Return what counting the rows has brought to light."""
    found = [
        _error("not-counted", sentence, remedy=_to_count(sentence)) for sentence in sums.missing
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


def _to_count(sentence: str) -> str:
    if "permission denied" in sentence:
        return "Give a role that may read the tables (--dsn), or leave out rows (--no-checksums)."
    return "Bring the node back."


def _unplaced(cluster: Cluster) -> Iterator[Finding]:
    for row in cluster.query(UNPLACED):
        yield _error(
            "shard-unplaced",
            f"The coordinator knows {row.relation}, but no node that holds it.",
            remedy=LOOK_FOR_IT,
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
                remedy=LOOK_FOR_IT,
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
