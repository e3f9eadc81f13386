"""Test databases that are sharded like the real one.

Django's own test runner creates a database without the Citus extension; every test then passes on
one plain PostgreSQL and shows nothing. Here the test database is made on each node of the cluster
that the configured database belongs to.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import psycopg2
from django.db.backends.postgresql import creation
from psycopg2 import sql
from psycopg2.errors import ObjectInUse

# Few enough to keep the tests quick, enough for every worker to hold several.
TEST_SHARD_COUNT = 8
DROP_TRIES = 6  # of some five seconds each


class Node(NamedTuple):
    """A server of the cluster, as pg_dist_node names it."""

    host: str
    port: int


class DatabaseCreation(creation.DatabaseCreation):
    """Creates and drops the test database on all nodes; a plain PostgreSQL gets a plain one."""

    def _create_test_db(self, verbosity: int, autoclobber: bool, keepdb: bool = False) -> str:
        workers = self._workers()
        name = self._get_test_db_name()
        if workers is None:
            return super()._create_test_db(verbosity, autoclobber, keepdb)
        nodes = [self._coordinator(), *workers]
        if keepdb and self._exists(nodes[0], name):
            return name
        self._drop(nodes, name)
        _at_once(nodes, lambda node: self._make(node, name))
        self._run(nodes[0], name, _cluster_of(nodes))
        self._run(nodes[0], "postgres", _test_settings(name))
        return name

    def _destroy_test_db(self, test_database_name: str, verbosity: int) -> None:
        workers = self._workers()
        if workers is None:
            super()._destroy_test_db(test_database_name, verbosity)
            return
        self.connection.close()
        self._drop([self._coordinator(), *workers], test_database_name)

    def _clone_test_db(self, suffix: str, verbosity: int, keepdb: bool = False) -> None:
        if self._workers() is not None:
            raise NotImplementedError("A Citus database cannot serve as a template for clones.")
        super()._clone_test_db(suffix, verbosity, keepdb)

    def _coordinator(self) -> Node:
        settings = self.connection.settings_dict
        return Node(settings["HOST"] or "127.0.0.1", int(settings["PORT"] or 5432))

    def _workers(self) -> list[Node] | None:
        """Return the workers of the configured database's cluster; None without Citus."""
        found = self._run(
            self._coordinator(),
            self.connection.settings_dict["NAME"],
            ["SELECT 1 FROM pg_extension WHERE extname = 'citus'"],
        )
        if not found:
            return None
        rows = self._run(
            self._coordinator(),
            self.connection.settings_dict["NAME"],
            ["SELECT nodename, nodeport FROM pg_dist_node WHERE groupid > 0 AND isactive"],
        )
        return [Node(*row) for row in rows]

    def _make(self, node: Node, name: str) -> None:
        self._run(node, "postgres", [f"CREATE DATABASE {_quoted(name)}"])
        self._run(node, name, ["CREATE EXTENSION citus"])

    def _drop(self, nodes: Sequence[Node], name: str) -> None:
        """Drop a database on all nodes; nothing happens where it is not."""
        _at_once(nodes, lambda node: self._drop_on(node, name))

    def _drop_on(self, node: Node, name: str) -> None:
        """Drop it on one node, as often as PostgreSQL gives up waiting for those connected to it.

        Citus's maintenance daemon is told to end like everybody, and does not hear it while it
        tries in vain to reach the same database on a node that has dropped it already.
        """
        for tries_left in reversed(range(DROP_TRIES)):
            try:
                self._run(
                    node, "postgres", [f"DROP DATABASE IF EXISTS {_quoted(name)} WITH (FORCE)"]
                )
            except ObjectInUse:
                if not tries_left:
                    raise
            else:
                return

    def _exists(self, node: Node, name: str) -> bool:
        query = sql.SQL("SELECT 1 FROM pg_database WHERE datname = {}").format(sql.Literal(name))
        return bool(self._run(node, "postgres", [query]))

    def _run(self, node: Node, database: str, statements: Sequence[str | sql.Composable]) -> Any:
        """Run statements outside a transaction; return the last one's rows, if it has any."""
        settings = self.connection.settings_dict
        connection = psycopg2.connect(
            host=node.host,
            port=node.port,
            dbname=database,
            user=settings["USER"],
            password=settings["PASSWORD"],
        )
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for statement in statements:
                    cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()


def _at_once(nodes: Sequence[Node], work: Callable[[Node], object]) -> None:
    """Do something on all nodes at the same time; raises what one of them raises."""
    with ThreadPoolExecutor(max_workers=len(nodes) or 1) as pool:
        list(pool.map(work, nodes))


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _cluster_of(nodes: list[Node]) -> list[sql.Composable]:
    """Return what joins the nodes into one cluster, the first being the coordinator."""
    coordinator, *workers = nodes
    return [
        _call("citus_set_coordinator_host", coordinator),
        *(_call("citus_add_node", worker) for worker in workers),
    ]


def _call(function: str, node: Node) -> sql.Composable:
    return sql.SQL("SELECT {}({}, {})").format(
        sql.Identifier(function), sql.Literal(node.host), sql.Literal(node.port)
    )


def _test_settings(name: str) -> list[str]:
    return [
        f"ALTER DATABASE {_quoted(name)} SET citus.shard_count = {TEST_SHARD_COUNT}",
        # A test is one transaction; a parallel read in it would bar a later reference-table write.
        f"ALTER DATABASE {_quoted(name)} SET citus.max_adaptive_executor_pool_size = 1",
        f"ALTER DATABASE {_quoted(name)} SET citus.multi_shard_modify_mode = 'sequential'",
    ]
