"""A Citus cluster, seen from its coordinator: its nodes, and connections to each of them.

    with Cluster.connect(dsn) as cluster:
        for node in cluster.nodes():
            ...
        answers = cluster.on_each(cluster.nodes(), lambda session: session.value("SELECT now()"))

Invariant: a node that is down or hangs costs a bounded time, and never the answers of the others.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

from psycopg2.extensions import make_dsn

from sharding import everywhere
from sharding.connection import STATEMENT_TIMEOUT, Log, Row, Session, connect, parsed
from sharding.errors import (
    CitusMissing,
    ClusterNotAvailable,
    CoordinatorLost,
    InvalidInput,
    NodeNotAvailable,
    NotTheCoordinator,
    ShardingError,
)

NODE_SECONDS = 5.0
SILENT_SECONDS = 10.0
T = TypeVar("T")

ABOUT = """
SELECT current_setting('server_version') AS postgresql,
       (SELECT extversion FROM pg_extension WHERE extname = 'citus') AS extension,
       current_database() AS database
"""
# citus_is_coordinator() says no of one that is not registered yet.
OWN_GROUP = "SELECT groupid FROM pg_dist_local_group"
COORDINATOR = "SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE groupid = 0"
# Otherwise Citus hides the shards' own tables in pg_class.
SHOW_SHARDS = ("citus.override_table_visibility", "off")
NODES = """
SELECT nodeid, groupid, nodename, nodeport, noderole::text, isactive, hasmetadata,
       metadatasynced, shouldhaveshards
  FROM pg_dist_node WHERE nodecluster = current_setting('citus.cluster_name')
 ORDER BY groupid, noderole::text, nodeid
"""


@dataclass(frozen=True, kw_only=True)
class Node:
    """A row of pg_dist_node."""

    id: int
    group: int
    host: str
    port: int
    role: str
    is_active: bool
    has_metadata: bool
    metadata_synced: bool
    should_have_shards: bool

    @property
    def name(self) -> str:
        """host:port, as every command shows it and takes it."""
        return f"{self.host}:{self.port}"

    @property
    def is_coordinator(self) -> bool:
        """Whether it is the coordinator, or a standby of it."""
        return self.group == 0

    @property
    def is_primary(self) -> bool:
        """Whether it takes writes."""
        return self.role == "primary"


class Cluster:
    """A connection to the coordinator, and from there to every node with the same credentials.

    Attributes:
        is_stand_in: a worker answers in the place of the coordinator, which is away.
        stands_in_for: the coordinator's address then.
    """

    def __init__(
        self, coordinator: Session, dsn: str, *, about: Row, log: Log | None, read_only: bool
    ) -> None:
        self.coordinator = coordinator
        self.postgresql_version: str = about.postgresql
        self.citus_version: str = about.extension
        self.database: str = about.database
        self._dsn = dsn
        self._log = log
        self._read_only = read_only
        self._silent: dict[str, tuple[float, NodeNotAvailable]] = {}
        self.is_stand_in = coordinator.value(OWN_GROUP) != 0
        self.stands_in_for: str = coordinator.value(COORDINATOR) or "" if self.is_stand_in else ""

    @classmethod
    def connect(
        cls,
        dsn: str,
        *,
        log: Log | None = None,
        read_only: bool = True,
        timeout: timedelta = STATEMENT_TIMEOUT,
    ) -> Cluster:
        """Connect to the coordinator, or to look at the cluster, to whichever named node answers.

        Args:
            dsn: the coordinator itself, not its pooler, as a superuser. It may name several hosts,
                as libpq writes them (host1:port1,host2:port2): the coordinator is found among
                them, and while it is away the others say what they know.
            log: is told every statement, with the name of the node.
            read_only: refuse every change, on every node.
            timeout: what a statement may take at most; see `Session.limit`.

        Raises:
            ClusterNotAvailable: nobody answers there within 4 seconds for each host.
            CitusMissing: a PostgreSQL without the extension.
            NotTheCoordinator: only workers are named; or for a change, only they answer.
            ThroughAPooler: a pooler.
            InvalidInput: the DSN cannot be read.
        """
        named = one_by_one(dsn)
        away: list[NodeNotAvailable] = []
        stand_in: Cluster | None = None
        for each in named:
            try:
                session = connect(
                    each, name=address(each), log=log, read_only=read_only, timeout=timeout
                )
            except NodeNotAvailable as error:
                away.append(error)
                continue
            found = cls._begin(session, each, log=log, read_only=read_only)
            if stand_in is not None and not found.is_stand_in:
                stand_in.close()
            if not found.is_stand_in:
                return found
            stand_in = stand_in or found
        if stand_in is None:
            raise ClusterNotAvailable(f"The coordinator {away[0]}") from away[0]
        if not (read_only and away):
            stand_in.close()
            raise _not_the_coordinator(stand_in)
        return stand_in

    @classmethod
    def _begin(cls, session: Session, dsn: str, *, log: Log | None, read_only: bool) -> Cluster:
        session.lost = CoordinatorLost
        try:
            about = session.row(ABOUT)
            _require_citus(session, about)
            session.set(*SHOW_SHARDS)
        except BaseException:
            session.close()
            raise
        return cls(session, dsn, about=about, log=log, read_only=read_only)

    def __enter__(self) -> Cluster:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connection to the coordinator."""
        self.coordinator.close()

    # Statements on the coordinator, the commonest case.

    def query(self, sql: str, parameters: list[object] | None = None) -> list[Row]:
        """Run a statement on the coordinator and return its rows."""
        return self.coordinator.query(sql, parameters)

    def row(self, sql: str, parameters: list[object] | None = None) -> Row | None:
        """Return the first row from the coordinator."""
        return self.coordinator.row(sql, parameters)

    def value(self, sql: str, parameters: list[object] | None = None) -> Any:
        """Return the first column of the first row from the coordinator."""
        return self.coordinator.value(sql, parameters)

    def execute(self, sql: str, parameters: list[object] | None = None) -> None:
        """Run a statement on the coordinator."""
        self.coordinator.execute(sql, parameters)

    # Nodes.

    def nodes(self) -> list[Node]:
        """Return every node of pg_dist_node: coordinator first, then by group."""
        return [
            Node(
                id=row.nodeid,
                group=row.groupid,
                host=row.nodename,
                port=row.nodeport,
                role=row.noderole,
                is_active=row.isactive,
                has_metadata=row.hasmetadata,
                metadata_synced=row.metadatasynced,
                should_have_shards=row.shouldhaveshards,
            )
            for row in self.query(NODES)
        ]

    def primaries(self) -> list[Node]:
        """Return the nodes that take writes, the coordinator among them."""
        return [node for node in self.nodes() if node.is_primary]

    def dsn_of(self, node: Node) -> str:
        """Return the DSN of a node: the coordinator's, with host and port exchanged."""
        if node.is_coordinator and node.is_primary and not self.is_stand_in:
            # Registered, it may be `localhost`, which is another machine here.
            return self._dsn
        return self.dsn_at(node.host, node.port)

    def dsn_at(self, host: str, port: int) -> str:
        """Return the coordinator's DSN with another host and port."""
        parts = parsed(self._dsn)
        parts.pop("hostaddr", None)
        return str(make_dsn(**(parts | {"host": host, "port": str(port)})))

    def on(self, node: Node, *, timeout: timedelta = STATEMENT_TIMEOUT) -> Session:
        """Connect to a node; close it, or use it in a `with`.

        Raises:
            NodeNotAvailable: it does not answer within 4 seconds.
        """
        session = connect(
            self.dsn_of(node),
            name=node.name,
            log=self._log,
            read_only=self._read_only,
            timeout=timeout,
        )
        session.set(*SHOW_SHARDS)
        return session

    def on_each(
        self,
        nodes: Iterable[Node],
        work: Callable[[Session], T],
        *,
        seconds: float | None = NODE_SECONDS,
    ) -> dict[Node, T | ShardingError]:
        """Run `work` on each node at the same time.

        A node that did not answer is not asked again for `SILENT_SECONDS`.

        Args:
            nodes: where.
            work: gets a session of its own node, which is closed afterwards.
            seconds: when to give up; None waits as long as the nodes take.

        Returns:
            What `work` returned, or NodeNotAvailable or QueryFailed, by node, in their order.
        """
        listed = list(nodes)
        now = time.monotonic()
        known = {n: error for n in listed if (error := self._known_silence(n, now)) is not None}
        timeout = timedelta(seconds=seconds) if seconds else timedelta(0)
        asked = everywhere.on_each(
            [node for node in listed if node not in known],
            lambda node: self.on(node, timeout=timeout),
            work,
            seconds=seconds,
        )
        for node, answer in asked.items():
            if isinstance(answer, NodeNotAvailable):
                self._silent[node.name] = (now, answer)
        return {node: known[node] if node in known else asked[node] for node in listed}

    def require_all(self) -> None:
        """Ask whether all nodes are there.

        Raises:
            NodeNotAvailable: naming the first that does not answer.
        """
        answers = self.on_each(self.primaries(), lambda session: session.value("SELECT 1"))
        for error in split_answers(answers)[1].values():
            raise NodeNotAvailable(str(error)) from error

    def _known_silence(self, node: Node, now: float) -> NodeNotAvailable | None:
        since, error = self._silent.get(node.name, (0.0, None))
        return error if error is not None and now - since < SILENT_SECONDS else None


def address(dsn: str) -> str:
    """Return host:port of a DSN, as messages name it (never the password)."""
    parts = parsed(dsn)
    return f"{parts.get('host', 'localhost')}:{parts.get('port', '5432')}"


def split_answers(
    answers: dict[Node, T | ShardingError],
) -> tuple[dict[Node, T], dict[Node, ShardingError]]:
    """Return what `on_each` brought as answers and errors, apart."""
    good = {node: a for node, a in answers.items() if not isinstance(a, ShardingError)}
    bad = {node: a for node, a in answers.items() if isinstance(a, ShardingError)}
    return good, bad


def one_by_one(dsn: str) -> list[str]:
    """Return a DSN for each host that it names.

    Raises:
        InvalidInput: it cannot be read, or has other numbers of hosts and ports.
    """
    parts = parsed(dsn)
    hosts = parts.get("host", "localhost").split(",")
    ports = parts.get("port", "5432").split(",")
    if len(hosts) == 1:
        return [dsn]
    if len(ports) == 1:
        ports *= len(hosts)
    if len(ports) != len(hosts):
        raise InvalidInput(f"The DSN names {len(hosts)} hosts and {len(ports)} ports.")
    parts.pop("hostaddr", None)
    return [
        str(make_dsn(**(parts | {"host": host, "port": port})))
        for host, port in zip(hosts, ports, strict=True)
    ]


def _require_citus(session: Session, about: Row) -> None:
    if about.extension is None:
        raise CitusMissing(
            "This PostgreSQL has no Citus extension; shardctl needs a Citus cluster"
            f" ({session.name}, database {about.database})."
        )


def _not_the_coordinator(worker: Cluster) -> NotTheCoordinator:
    where = (
        f"the coordinator, {worker.stands_in_for}" if worker.stands_in_for else "the coordinator"
    )
    return NotTheCoordinator(
        f"{worker.coordinator.name} is a worker of the cluster; connect to {where}."
    )
