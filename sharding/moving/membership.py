"""Nodes that come and go: reference tables first, verified after, undone when it fails half-way."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from sharding.cluster import Cluster, Node
from sharding.connection import Session
from sharding.errors import (
    Blocked,
    CoordinatorLost,
    MoveFailed,
    NodeNotAvailable,
    QueryFailed,
    ShardingError,
)
from sharding.inspection import checksums, consistency, leftovers, nodes, placements
from sharding.inspection.leftovers import Kind
from sharding.inspection.placements import Layout
from sharding.moving import cleaning, retirement
from sharding.moving.runner import Runner
from sharding.moving.steps import Step
from sharding.moving.watch import Done

PATIENCE = timedelta(minutes=5)
# Every transaction that writes a reference table holds pg_dist_node until it ends, and the next
# ones would wait behind us.
LOCK_TIMEOUT = "5s"
LOCK_NOT_AVAILABLE = "55P03"
ADD = "SELECT citus_add_node(%s, %s)"
REMOVE = "SELECT citus_remove_node(%s, %s)"
DISABLE = "SELECT citus_disable_node(%s, %s, true)"
HOLD_SHARDS = "SELECT citus_set_node_property(%s, %s, 'shouldhaveshards', %s)"
REFERENCES = "SELECT replicate_reference_tables('force_logical')"
LISTS = "SELECT count(*) FROM pg_dist_node WHERE groupid = %s"
MISSING = """
SELECT count(*) FROM pg_dist_partition p JOIN pg_dist_shard s USING (logicalrelid)
 WHERE p.partmethod = 'n' AND p.repmodel = 't' AND NOT EXISTS (
       SELECT FROM pg_dist_placement WHERE shardid = s.shardid AND groupid = %s)
"""
ROWS_OF_GROUP = "DELETE FROM pg_dist_cleanup WHERE node_group_id = %s"
# A removed node goes on believing that it belongs to the cluster: it would answer from reference
# tables that nobody keeps up to date any more.
FORGET = (
    "SET citus.enable_ddl_propagation TO off",
    "SET citus.enable_manual_changes_to_shards TO on",
    "CALL pg_catalog.worker_drop_all_shell_tables(true)",
    "DELETE FROM pg_dist_placement",
    "DELETE FROM pg_dist_shard",
    "DELETE FROM pg_dist_partition",
    "DELETE FROM pg_catalog.pg_dist_colocation",
    "DELETE FROM pg_catalog.pg_dist_schema",
    "DELETE FROM pg_catalog.pg_dist_object",
    "DELETE FROM pg_dist_node",
    "UPDATE pg_dist_local_group SET groupid = 0",
)


def add(runner: Runner, candidate: Node) -> Done:
    """Make it a node that holds a copy of every reference table, then let it hold shards.

    Raises:
        MoveFailed: a step failed; the cluster is as it was before.
    """
    cluster = runner.cluster
    coordinator = next(node for node in cluster.primaries() if node.is_coordinator)
    where: list[object] = [candidate.host, candidate.port]
    _change_nodes(cluster, ADD, where)
    node = next(n for n in cluster.nodes() if n.name == candidate.name)
    try:
        # No shard shall come before the reference tables have: the first one would copy them,
        # with writes to them blocked (citus#7426).
        cluster.execute(HOLD_SHARDS, [*where, False])
        done = runner.drive([_references(cluster, coordinator, node)])
        _verify(cluster, node)
        cluster.execute(HOLD_SHARDS, [*where, True])
    except CoordinatorLost:
        raise  # the same command goes on
    except BaseException:
        _undo(cluster, node)
        raise
    return done


def is_ready(cluster: Cluster, node: Node) -> bool:
    """Whether a node of the cluster may hold shards and has every reference table."""
    return node.should_have_shards and not cluster.value(MISSING, [node.group])


def hold_shards(cluster: Cluster, node: Node, *, should: bool) -> None:
    """Say whether shards may come to a node."""
    cluster.execute(HOLD_SHARDS, [node.host, node.port, should])


def remove(cluster: Cluster, node: Node, *, gone: bool = False) -> list[str]:
    """Take an empty node out of the cluster; return what could not be put in order on it.

    Args:
        gone: its server will never be back, so that it may go on believing what it believes.

    Raises:
        Blocked: it still holds shards, is the coordinator, or does not answer. Nothing was changed.
        MoveFailed: another node still lists it.
    """
    require_empty(cluster, node)
    cleaning.clean_up(cluster)
    layout = placements.read(cluster, sizes=False)
    if gone:
        # citus_remove_node connects to every active node, and so to the one that is gone.
        _change_nodes(cluster, DISABLE, [node.host, node.port])
        _change_nodes(cluster, REMOVE, [node.host, node.port])
    else:
        _remove_living(cluster, node)
    # Citus would try for ever to clean up on a node group that is gone (citus#8236).
    cluster.execute(ROWS_OF_GROUP, [node.group])
    _require_gone(cluster, node)
    return _forget(cluster, node, layout)


def _remove_living(cluster: Cluster, node: Node) -> None:
    retirement.retire(cluster, node)
    try:
        _change_nodes(cluster, REMOVE, [node.host, node.port])
    except BaseException:
        retirement.reinstate(cluster, node)
        raise


def require_empty(cluster: Cluster, node: Node) -> None:
    """Refuse while a node holds shards, by the metadata or by its own tables.

    Raises:
        Blocked: it does.
    """
    if node.is_coordinator:
        raise Blocked(f"{node.name} is the coordinator; it cannot be removed.")
    layout = placements.read(cluster, sizes=False)
    left = [group for group in layout.shard_groups if group.node_group == node.group]
    if left:
        raise Blocked(
            f"{node.name} still holds {len(left)} shard groups: run `shardctl drain {node.name}`"
            " first. Nothing was changed."
        )
    stray = [o for o in leftovers.inspect(cluster).of(Kind.SHARD) if o.node == node.name]
    if stray:
        raise Blocked(
            f"{node.name} has tables that look like shards ({stray[0].name}): `shardctl verify`"
            " says of them what it can. Nothing was changed."
        )


def _change_nodes(cluster: Cluster, sql: str, parameters: list[object]) -> None:
    """Change pg_dist_node without making writers of reference tables queue behind us for long.

    Raises:
        Blocked: one of them is open for too long. Nothing was changed.
    """
    session = cluster.coordinator
    session.set("lock_timeout", LOCK_TIMEOUT)
    try:
        with session.limited(PATIENCE):
            session.execute(sql, parameters)
    except QueryFailed as error:
        if error.sqlstate == LOCK_NOT_AVAILABLE:
            raise Blocked(
                "The list of nodes is held by a transaction that writes a reference table"
                f" (waited for {LOCK_TIMEOUT}; `shardctl preflight` names long ones)."
                " Nothing was changed; try again."
            ) from error
        raise
    finally:
        session.set("lock_timeout", "0")


def _references(cluster: Cluster, coordinator: Node, node: Node) -> Step:
    layout = placements.read(cluster)
    tables = [table.name for table in layout.tables if table.kind == "reference"]
    copies = [p for p in layout.placements if p.table in tables and p.node == coordinator.name]
    return Step(
        kind="reference tables", shard=0, tables=tuple(tables),
        bytes=sum(copy.bytes or 0 for copy in copies), source=coordinator, target=node,
        sql=REFERENCES, parameters=(),
    )  # fmt: skip


def _verify(cluster: Cluster, node: Node) -> None:
    layout = placements.read(cluster, sizes=False)
    found = [finding.message for finding in consistency.inspect(cluster, layout)]
    found += [
        f"{link.source} does not reach {link.target}."
        for link in nodes.links(cluster)
        if link.works is False and node.name in {link.source, link.target}
    ]
    if missing := cluster.value(MISSING, [node.group]):
        found.append(f"{missing} reference tables have not come.")
    tables = [table.name for table in layout.tables if table.kind == "reference"]
    if tables:
        sums = checksums.compute(cluster, layout, tables=tables, block_writes=True)
        found += [f"The copies of {same[0].table} differ." for same in sums.differing]
        found += sums.missing
    if found:
        raise MoveFailed(f"{node.name} is not as it should be, and was removed again: {found[0]}")


def _undo(cluster: Cluster, node: Node) -> None:
    try:
        cleaning.clean_up(cluster, patience=timedelta(seconds=5))
        layout = placements.read(cluster, sizes=False)
        retirement.retire(cluster, node)
        cluster.execute(REMOVE, [node.host, node.port])
        cluster.execute(ROWS_OF_GROUP, [node.group])
        _forget(cluster, node, layout)
    except ShardingError as error:
        raise MoveFailed(
            f"{node.name} was added, but not made ready, and cannot be removed: {error}"
            f" `shardctl remove-node {node.name}` does it when that is mended."
        ) from error


def _require_gone(cluster: Cluster, node: Node) -> None:
    def ask(session: Session) -> int:
        return int(session.value(LISTS, [node.group]))

    answers = cluster.on_each([n for n in cluster.primaries() if n.is_active], ask)
    still = [n.name for n, known in answers.items() if known != 0]
    if still:
        raise MoveFailed(f"{', '.join(still)} may still know {node.name}: `shardctl verify`.")


def _forget(cluster: Cluster, node: Node, layout: Layout) -> list[str]:
    """Let the node itself forget the cluster; return why not, when it cannot."""
    relations = [p.relation for p in layout.placements if p.node_group == node.group]
    try:
        with cluster.on(node, timeout=PATIENCE) as session:
            for sql in (*FORGET, *_drops(relations)):
                session.execute(sql)
            retirement.release(session)
    except (NodeNotAvailable, QueryFailed) as error:
        sentence = (
            f"{node.name} still holds copies of the reference tables and the cluster's metadata,"
            f" and must not be connected to any more; {retirement.BEFORE_IT_STARTS}: {error}"
        )
        return [sentence]
    return []


def _drops(relations: Iterable[str]) -> list[str]:
    # The names come quoted from shard_name().
    return [f"DROP TABLE IF EXISTS {relation} CASCADE" for relation in relations]
