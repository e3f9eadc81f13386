"""Is a PostgreSQL fit to become a node? Looked at before Citus is told of it.

Invariant: whatever preflight would say of it as a node is said before it is one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Row, Session
from sharding.errors import NodeNotAvailable, QueryFailed
from sharding.inspection import placements
from sharding.inspection.findings import Finding, Severity
from sharding.inspection.leftovers import Leftovers
from sharding.inspection.preflight import capacity, disk, facts, nodes
from sharding.inspection.preflight.facts import Facts

ABOUT = """
SELECT current_setting('server_version_num')::int / 10000 AS major,
       current_setting('max_prepared_transactions')::int AS prepared,
       current_setting('TimeZone') AS time_zone,
       pg_encoding_to_char(encoding) AS encoding, datcollate AS collation,
       (SELECT extversion FROM pg_extension WHERE extname = 'citus') AS citus,
       (SELECT count(*) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE c.relkind IN ('r', 'p')
           AND n.nspname !~ '^(pg_|information_schema$|citus|columnar|shardctl)')
           AS tables,
       (SELECT array_agg(name::text) FROM pg_available_extensions) AS extensions
  FROM pg_database WHERE datname = current_database()
"""
MEMBER_OF = "SELECT nodename || ':' || nodeport AS name FROM pg_dist_node WHERE groupid = 0"
LINK = "SELECT citus_check_connection_to_node(%s, %s)"
EXTENSIONS = "SELECT array_agg(extname::text) FROM pg_extension WHERE extname NOT LIKE 'citus%'"
NO_IDENTITY = """
SELECT p.logicalrelid::regclass::text AS name
  FROM pg_dist_partition p JOIN pg_class c ON c.oid = p.logicalrelid
 WHERE p.partmethod = 'n' AND p.repmodel = 't' AND c.relreplident IN ('d', 'n')
   AND NOT (c.relreplident = 'd' AND EXISTS (
       SELECT FROM pg_index i WHERE i.indrelid = c.oid AND i.indisprimary))
"""
Answer = Iterator[Finding]


def node_at(host: str, port: int) -> Node:
    """Return a node that Citus does not know yet."""
    return Node(
        id=0, group=-1, host=host, port=port, role="primary", is_active=False,
        has_metadata=False, metadata_synced=False, should_have_shards=False,
    )  # fmt: skip


def inspect(cluster: Cluster, node: Node) -> list[Finding]:
    """Return what speaks against making it a node."""
    try:
        with cluster.on(node) as session:
            theirs = session.row(ABOUT)
            member = session.row(MEMBER_OF) if theirs and theirs.citus else None
    except (NodeNotAvailable, QueryFailed) as error:
        return [
            _error("unreachable", str(error), "Start it, create the database, let us in.", node)
        ]
    ours = cluster.row(ABOUT)
    checks: list[Callable[[Row, Row, Node], Answer]] = [_software, _settings, _order]
    found = [finding for check in checks for finding in check(ours, theirs, node)]
    if theirs and theirs.citus is not None:
        found += as_a_node(cluster, node)
    found += _emptiness(theirs, member, node)
    found += _links(cluster, node)
    found += _extensions(cluster, theirs, node)
    for row in cluster.query(NO_IDENTITY):
        found.append(_error(
            "reference-table-without-key",
            f"The reference table {row.name} has no primary key: it cannot be copied while it is"
            " written to.", f"ALTER TABLE {row.name} ADD PRIMARY KEY (…);", node,
        ))  # fmt: skip
    return found


def as_a_node(cluster: Cluster, node: Node) -> list[Finding]:
    """Return what preflight will say of its settings and its room once it holds shards."""
    layout = placements.read(cluster)
    taker = replace(node, should_have_shards=True)
    states = [facts.state(cluster, n) for n in (_coordinator(cluster), taker)]
    would = Facts(
        nodes=tuple(states), links=(), layout=layout, groups=tuple(layout.distributed()),
        identities=(), missing_references={}, leftovers=Leftovers(found=(), running=()), jobs=(),
        wal_headroom=None, long=timedelta(0),
    )  # fmt: skip
    checks = (nodes.versions, *capacity.CHECKS, *disk.CHECKS)
    return [f for check in checks for f in check(would) if f.node == node.name]


def _coordinator(cluster: Cluster) -> Node:
    return next(node for node in cluster.primaries() if node.is_coordinator)


def _software(ours: Row, theirs: Row, node: Node) -> Answer:
    if theirs.major != ours.major:
        yield _error("postgresql-version", f"{node.name} runs PostgreSQL {theirs.major}, the"
                     f" cluster {ours.major}.", "Use the same major version.", node)  # fmt: skip
    if theirs.citus is None:
        yield _error("no-citus", f"{node.name} has no Citus extension in this database.",
                     "CREATE EXTENSION citus; there.", node)  # fmt: skip
    elif theirs.citus != ours.citus:
        yield _error("citus-version", f"{node.name} has Citus {theirs.citus}, the cluster"
                     f" {ours.citus}.", "Install the same version.", node)  # fmt: skip


def _settings(ours: Row, theirs: Row, node: Node) -> Answer:
    if not theirs.prepared:
        yield _error("prepared-transactions", f"{node.name} allows no prepared transactions, which"
                     " Citus commits with.",
                     f"max_prepared_transactions = {ours.prepared}.", node)  # fmt: skip
    if theirs.time_zone != ours.time_zone:
        yield _warning("time-zone", f"{node.name} is set to the time zone {theirs.time_zone}, the"
                       f" coordinator to {ours.time_zone}.",
                       f"timezone = '{ours.time_zone}'.", node)  # fmt: skip


def _order(ours: Row, theirs: Row, node: Node) -> Answer:
    if (theirs.encoding, theirs.collation) != (ours.encoding, ours.collation):
        yield _error(
            "collation", f"{node.name} has {theirs.encoding} with {theirs.collation}, the cluster"
            f" {ours.encoding} with {ours.collation}: text would be sorted in two ways.",
            "Create the database with the cluster's locale.", node,
        )  # fmt: skip


def _emptiness(theirs: Row, member: Row | None, node: Node) -> Answer:
    if member is not None:
        yield _error("member-of-a-cluster", f"{node.name} believes to belong to the cluster of"
                     f" {member.name}.", "Use another, or drop its database.", node)  # fmt: skip
    elif theirs.tables:
        yield _error("not-empty", f"{node.name} has {theirs.tables} tables already.",
                     "Use an empty database.", node)  # fmt: skip


def _links(cluster: Cluster, node: Node) -> Answer:
    """Shards come from every node, so every node has to reach it."""
    members = [n for n in cluster.primaries() if n.is_active]

    def ask(session: Session) -> bool:
        return bool(session.value(LINK, [node.host, node.port]))

    told, silent = split_answers(cluster.on_each(members, ask))
    for member in [*[n for n, works in told.items() if not works], *silent]:
        yield _error("no-link", f"{member.name} does not reach {node.name}.",
                     "pg_hba.conf, the firewall, citus.node_conninfo.", node)  # fmt: skip


def _extensions(cluster: Cluster, theirs: Row, node: Node) -> Answer:
    wanted = set(cluster.value(EXTENSIONS) or []) - {"plpgsql"}
    for name in sorted(wanted - set(theirs.extensions or [])):
        yield _error("extension-missing", f"{node.name} cannot create the extension {name}, which"
                     " the database uses.", "Install its package there.", node)  # fmt: skip


def _error(code: str, message: str, remedy: str, node: Node) -> Finding:
    return Finding(
        code=code, severity=Severity.ERROR, message=message, remedy=remedy, node=node.name
    )


def _warning(code: str, message: str, remedy: str, node: Node) -> Finding:
    return Finding(
        code=code, severity=Severity.WARNING, message=message, remedy=remedy, node=node.name
    )
