"""The nodes: what each says of itself, and whether each reaches each other.

Every node is asked by itself and at the same time; one that hangs is reported as silent after
`NODE_SECONDS`, with the figures of the others.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from sharding.cluster import Cluster, Node, split_answers
from sharding.connection import Session
from sharding.errors import NodeNotAvailable, QueryFailed

# The library may not fit the extension, and then refuses every function that it has itself.
TOLERANT = ("citus.enable_version_checks", "off")
FACTS = """
SELECT current_setting('server_version') AS postgresql,
       (SELECT extversion FROM pg_extension WHERE extname = 'citus') AS extension,
       substring(citus_version() FROM 'Citus ([0-9.]+)') AS library,
       pg_postmaster_start_time() AS started_at,
       current_setting('max_connections')::int AS max_connections,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend')
           AS connections,
       (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND state = 'active' AND pid <> pg_backend_pid())
           AS active,
       (SELECT count(*) FROM pg_stat_activity
         WHERE backend_type = 'client backend' AND application_name LIKE 'citus_internal%')
           AS from_nodes,
       (SELECT available_disk_size FROM citus_local_disk_space_stats()) AS disk_free,
       (SELECT total_disk_size FROM citus_local_disk_space_stats()) AS disk_total
"""
LINK = "SELECT citus_check_connection_to_node(%s, %s)"
LINK_TIMEOUT = "2s"


@dataclass(frozen=True, kw_only=True)
class NodeFacts:
    """What a node says of itself.

    Attributes:
        library: the version of Citus that is loaded, extension: the one in the database.
        connections: of clients and of other nodes (`from_nodes`), this one included.
        disk_free, disk_total: bytes of the file system of its data.
    """

    postgresql: str
    extension: str | None
    library: str
    started_at: datetime
    max_connections: int
    connections: int
    active: int
    from_nodes: int
    disk_free: int
    disk_total: int


@dataclass(frozen=True, kw_only=True)
class NodeReport:
    """A node with what it said, or why it said nothing."""

    node: Node
    facts: NodeFacts | None
    silence: str = ""


@dataclass(frozen=True, kw_only=True)
class Link:
    """Whether one node reaches another; None: it could not be asked."""

    source: str
    target: str
    works: bool | None


def report(cluster: Cluster) -> list[NodeReport]:
    """Return every node with its facts."""
    nodes = cluster.nodes()
    told, silent = split_answers(cluster.on_each(nodes, facts))
    return [
        NodeReport(node=node, facts=told.get(node), silence=str(silent.get(node, "")))
        for node in nodes
    ]


def facts(session: Session) -> NodeFacts:
    """Return what one node says of itself."""
    session.set(*TOLERANT)
    row = session.row(FACTS)
    if row is None:
        raise NodeNotAvailable(f"{session.name} says nothing of itself.")
    return NodeFacts(**row._asdict())


def links(cluster: Cluster, *, silent: Iterable[str] = ()) -> list[Link]:
    """Return for each pair of nodes whether the first reaches the second.

    The same as citus_check_cluster_node_health(), but each node is asked directly and at the
    same time, so that nodes that hang do not add up to minutes.

    Args:
        cluster: where.
        silent: names of nodes that are known not to answer: they are tried last.
    """
    known = set(silent)
    nodes = [node for node in cluster.nodes() if node.is_active]
    # What a node has found out stays when its time is over in the middle.
    found: dict[tuple[str, str], bool | None] = {}

    def ask(session: Session) -> None:
        session.set("citus.node_connection_timeout", LINK_TIMEOUT)
        for other in sorted(nodes, key=lambda node: node.name in known):
            try:
                works = session.value(LINK, [other.host, other.port])
            except QueryFailed:
                works = None
            found[session.name, other.name] = works

    answers = cluster.on_each([node for node in nodes if node.name not in known], ask)
    asked = {node.name for node, answer in answers.items() if answer is None}
    result = dict(found)
    return [
        Link(source=a.name, target=b.name, works=_works(result, a, b, asked))
        for a in nodes
        for b in nodes
    ]


def _works(
    found: dict[tuple[str, str], bool | None], source: Node, target: Node, asked: set[str]
) -> bool | None:
    if (source.name, target.name) in found:
        return found[source.name, target.name]
    # Asked, and out of time: whoever swallows packets is not reached.
    return False if source.name in asked else None
