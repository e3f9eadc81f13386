"""A node that leaves is silenced first: it must not decide over transactions of its successor.

Every node ends the two-phase commits that it has begun, by its own records, on all nodes of its own
pg_dist_node. One that was removed and still lists the others would roll back what a later node of
the same group id has prepared (citus#8855). So its recovery is turned off and its list emptied
before the others forget it.
"""

from __future__ import annotations

import contextlib
import time

from sharding.cluster import Cluster, Node
from sharding.connection import Session
from sharding.errors import Blocked, NodeNotAvailable, QueryFailed

SETTING = "citus.recover_2pc_interval"
OFF = (f"ALTER SYSTEM SET {SETTING} TO -1", "SELECT pg_reload_conf()")
BACK = (f"ALTER SYSTEM RESET {SETTING}", "SELECT pg_reload_conf()")
VALUE = "SELECT setting FROM pg_settings WHERE name = %s"
# It takes the lock of the daemon's recovery: one that runs has ended afterwards.
RECOVER = "SELECT recover_prepared_transactions()"
EMPTY = ("SET citus.enable_ddl_propagation TO off", "DELETE FROM pg_dist_node")
SYNCHRONISE = "SELECT start_metadata_sync_to_node(%s, %s)"
PATIENCE_SECONDS = 10.0
BEFORE_IT_STARTS = (
    f"should it ever be started again, then first with {SETTING} = -1 and an empty pg_dist_node"
    " (citus#8855)"
)


def retire(cluster: Cluster, node: Node) -> None:
    """Turn its recovery off, and let it know no other node.

    Raises:
        Blocked: it does not answer, or refuses. It is as it was.
    """
    try:
        with cluster.on(node) as session:
            for sql in OFF:
                session.execute(sql)
            _wait_until_off(session)
            session.execute(RECOVER)
            for sql in EMPTY:
                session.execute(sql)
    except (NodeNotAvailable, QueryFailed) as error:
        with contextlib.suppress(NodeNotAvailable, QueryFailed), cluster.on(node) as session:
            release(session)
        raise Blocked(
            f"{node.name} cannot be told that it leaves: {error} Nothing was changed. Is its server"
            f" gone for good, then --force; {BEFORE_IT_STARTS}."
        ) from error


def reinstate(cluster: Cluster, node: Node) -> None:
    """Take it back as a node that knows the others."""
    with contextlib.suppress(NodeNotAvailable, QueryFailed):
        cluster.execute(SYNCHRONISE, [node.host, node.port])
        with cluster.on(node) as session:
            release(session)


def release(session: Session) -> None:
    """Let recovery be as the server's configuration says; without other nodes it has no effect."""
    for sql in BACK:
        session.execute(sql)


def _wait_until_off(session: Session) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while session.value(VALUE, [SETTING]) != "-1":
        if time.monotonic() > deadline:
            raise QueryFailed(f"{session.name} does not take {SETTING} = -1.")
        time.sleep(0.05)
