"""Do the catalogues of all nodes say the same?

No node is believed alone. A coordinator that was restored, or whose asynchronous standby took over,
does not know of the last moves: the workers then know better where the shards are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Session
from sharding.figures import bytes_
from sharding.inspection.findings import Finding, Severity

DECIDE = (
    "Move, fix and synchronise nothing: the coordinator may be the one that is behind (a restore, a"
    " failover). How to decide: docs/sharding.md, “Nodes disagree”."
)
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
CLAIMS = """
SELECT s.shardid AS shard, shard_name(s.logicalrelid, s.shardid) AS relation,
       coalesce(array_agg(p.groupid ORDER BY p.groupid) FILTER (WHERE p.groupid IS NOT NULL), '{}')
           AS groups
  FROM pg_dist_shard s LEFT JOIN pg_dist_placement p USING (shardid) GROUP BY 1, 2
"""
SIZES = """
SELECT name, pg_total_relation_size(to_regclass(name)) AS bytes FROM unnest(%s::text[]) AS name
 WHERE to_regclass(name) IS NOT NULL
"""


@dataclass(frozen=True, kw_only=True)
class Dispute:
    """A shard of which the nodes do not say the same.

    Attributes:
        said: the groups where a node says that it is, by the node; () where it knows none.
        there: bytes of its table, by the node that has one.
    """

    shard: int
    relation: str
    said: Mapping[str, tuple[int, ...]]
    there: Mapping[str, int]


def inspect(cluster: Cluster, nodes: Iterable[Node]) -> list[Finding]:
    """Return the nodes that are silent or disagree with the coordinator, and over which shards."""

    def ask(session: Session) -> dict[str, str | None]:
        return dict(session.query(METADATA))

    asked = [node for node in nodes if node.has_metadata]
    told, silent = split_answers(cluster.on_each(asked, ask))
    found = [
        _error("node-unreachable", str(error), remedy="Start the node.", node=node.name)
        for node, error in silent.items()
    ]
    differing = list(_differing(told))
    if not differing:
        return found
    disputes = _disputes(cluster, list(told))
    return [*found, *differing, *(_of(dispute, list(told)) for dispute in disputes)]


def _differing(told: Mapping[Node, Mapping[str, str | None]]) -> Iterator[Finding]:
    first = next((told[node] for node in told if node.is_coordinator), None)
    for node, digests in told.items():
        other = [name for name, digest in digests.items() if first and digest != first[name]]
        if other:
            yield _error(
                "metadata-differs",
                f"{node.name} does not know the same {', '.join(other)} as the coordinator.",
                remedy=DECIDE,
                node=node.name,
            )


def _disputes(cluster: Cluster, nodes: list[Node]) -> list[Dispute]:
    def claims(session: Session) -> dict[int, tuple[str, tuple[int, ...]]]:
        return {row.shard: (row.relation, tuple(row.groups)) for row in session.query(CLAIMS)}

    told, _ = split_answers(cluster.on_each(nodes, claims))
    known = {shard: relation for said in told.values() for shard, (relation, _) in said.items()}
    said = {
        shard: {node.name: answer.get(shard, ("", ()))[1] for node, answer in told.items()}
        for shard in sorted(known)
    }
    disputed = {shard: each for shard, each in said.items() if len(set(each.values())) > 1}
    relations = [known[shard] for shard in disputed]
    sizes, _ = split_answers(
        cluster.on_each(nodes, lambda session: dict(session.query(SIZES, [relations])))
    )
    return [
        Dispute(
            shard=shard,
            relation=known[shard],
            said=each,
            there={n.name: of[known[shard]] for n, of in sizes.items() if known[shard] in of},
        )
        for shard, each in disputed.items()
    ]


def _of(dispute: Dispute, nodes: list[Node]) -> Finding:
    names = {node.group: node.name for node in nodes}
    by_place: dict[tuple[int, ...], list[str]] = {}
    for node, groups in dispute.said.items():
        by_place.setdefault(groups, []).append(node)
    said = "; ".join(
        f"{_places(groups, names)} says {', '.join(those)}" for groups, those in by_place.items()
    )
    there = ", ".join(f"{node} ({bytes_(size)})" for node, size in dispute.there.items())
    return _error(
        "shard-disputed",
        f"Where is {dispute.relation}? {said}. Its table is on {there or 'none of them'}.",
        remedy=DECIDE,
    )


def _places(groups: tuple[int, ...], names: Mapping[int, str]) -> str:
    return " and ".join(names.get(group, f"node group {group}") for group in groups) or "nowhere"


def _error(code: str, message: str, *, remedy: str, node: str = "") -> Finding:
    return Finding(code=code, severity=Severity.ERROR, message=message, remedy=remedy, node=node)
