"""Ways to make something go wrong on a throwaway cluster, and right again.

What `verify --fix` may have removed meanwhile is unmade all the same.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager

import psycopg2
import pytest

from tests.throwaway import HOST, Server, Throwaway

QUIETLY = "SET citus.enable_ddl_propagation TO off;"

Provoke = Callable[[Throwaway], AbstractContextManager[object]]


def sql(
    do: str, undo: str, where: Callable[[Throwaway], Server] = lambda made: made.coordinator
) -> Provoke:
    """Run SQL on a node, and undo it. {worker1} and the like stand for ports."""

    @contextlib.contextmanager
    def provoke(made: Throwaway) -> Iterator[None]:
        ports = {server.name: server.port for server in made.servers}
        for statement in do.format(**ports).split(";;"):
            where(made).sql(statement)
        try:
            yield
        finally:
            for statement in undo.format(**ports).split(";;"):
                where(made).sql(statement)

    return provoke


def on_worker(do: str, undo: str) -> Provoke:
    return sql(do, undo, lambda made: made.worker(1))


def setting(name: str, value: str) -> Provoke:
    """Change a setting of worker 1 that a reload is enough for."""
    reload_ = ";;SELECT pg_reload_conf();;SELECT pg_sleep(0.2)"
    change = on_worker(
        f"ALTER SYSTEM SET {name} TO {value}{reload_}", f"ALTER SYSTEM RESET {name}{reload_}"
    )

    def provoke(made: Throwaway) -> AbstractContextManager[object]:
        if not made.value("SELECT count(*) FROM pg_settings WHERE name = %s", [name]):
            pytest.skip(f"This PostgreSQL has no setting {name}.")
        return change(made)

    return provoke


def restarted(**settings: str) -> Provoke:
    """Restart worker 1 with other settings, and back."""

    @contextlib.contextmanager
    def provoke(made: Throwaway) -> Iterator[None]:
        worker = made.worker(1)
        before = {name: worker.settings[name] for name in settings}
        worker.restart(**settings)
        # Citus forgets the connections that broke, so that nothing else is found.
        made.sql("SELECT * FROM citus_check_cluster_node_health()")
        try:
            yield
        finally:
            worker.restart(**before)

    return provoke


@contextlib.contextmanager
def stopped(made: Throwaway) -> Iterator[None]:
    made.worker(1).stop()
    try:
        yield
    finally:
        made.worker(1).start()


@contextlib.contextmanager
def full_of_slots(made: Throwaway) -> Iterator[None]:
    worker = made.worker(1)
    number = int(worker.value("SHOW max_replication_slots"))
    for n in range(number):
        worker.sql(f"SELECT pg_create_physical_replication_slot('taken_{n}')")
    try:
        yield
    finally:
        worker.sql("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots")


@contextlib.contextmanager
def spare_added(made: Throwaway) -> Iterator[None]:
    made.add(made.spare())
    try:
        yield
    finally:
        made.sql("SELECT citus_remove_node(%s, %s)", [HOST, made.spare().port])


@contextlib.contextmanager
def idle_transaction(made: Throwaway) -> Iterator[None]:
    with contextlib.closing(psycopg2.connect(made.dsn)) as connection:
        connection.cursor().execute("SELECT 1")
        yield


@contextlib.contextmanager
def long_transaction(made: Throwaway) -> Iterator[None]:
    connection = psycopg2.connect(made.dsn)

    def work() -> None:
        with contextlib.suppress(psycopg2.Error):
            connection.cursor().execute("SELECT pg_sleep(60)")

    thread = threading.Thread(target=work)
    thread.start()
    try:
        while not made.value(
            "SELECT count(*) FROM pg_stat_activity WHERE query = 'SELECT pg_sleep(60)'"
        ):
            pass
        yield
    finally:
        connection.cancel()
        thread.join()
        connection.close()


@contextlib.contextmanager
def move_that_waits(made: Throwaway) -> Iterator[None]:
    """A move cannot end while somebody has written to the shard and does not commit."""
    shard, source = made.sql(
        "SELECT shardid, nodeport FROM citus_shards WHERE table_name = 'stock'::regclass LIMIT 1"
    )[0]
    target = next(worker.port for worker in made.workers if worker.port != source)
    writer = psycopg2.connect(made.dsn)
    writer.cursor().execute("UPDATE stock SET available = available")
    call = f"SELECT citus_move_shard_placement({shard}, '{HOST}', {{}}, '{HOST}', {{}})"
    thread = threading.Thread(target=made.sql, args=[call.format(source, target)])
    thread.start()
    running = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 10"
    try:
        while not made.value(running):
            pass
        yield
    finally:
        writer.rollback()
        writer.close()
        thread.join()
        made.sql(call.format(target, source))
        made.sql("CALL citus_cleanup_orphaned_resources()")


@contextlib.contextmanager
def orphaned_shard(made: Throwaway) -> Iterator[None]:
    """A shard's table on a worker where the metadata places none."""
    name = made.value(
        "SELECT shard_name FROM citus_shards WHERE table_name = 'orders'::regclass"
        f" AND nodeport <> {made.worker(1).port} LIMIT 1"
    )
    made.worker(1).sql(f"{QUIETLY} CREATE TABLE {name} (user_id uuid)")
    try:
        yield
    finally:
        made.worker(1).sql(f"{QUIETLY} DROP TABLE IF EXISTS {name}")


@contextlib.contextmanager
def prepared_transaction(made: Throwaway) -> Iterator[None]:
    with contextlib.closing(made.worker(1).connect()) as connection, connection.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("CREATE TEMPORARY TABLE nothing_of_note () ON COMMIT DROP")
        cursor.execute("ROLLBACK")
        cursor.execute("BEGIN")
        cursor.execute("SELECT txid_current()")
        cursor.execute("PREPARE TRANSACTION 'citus_0_1_1_1'")
    try:
        yield
    finally:
        with contextlib.suppress(psycopg2.errors.UndefinedObject):
            made.worker(1).sql("ROLLBACK PREPARED 'citus_0_1_1_1'")


@contextlib.contextmanager
def invalid_index(made: Throwaway) -> Iterator[None]:
    change = (
        "UPDATE pg_index SET indisvalid = {} WHERE indexrelid = (SELECT indexrelid FROM pg_index"
        " WHERE indrelid = (SELECT min(c.oid) FROM pg_class c WHERE c.relname ~ '^stock_[0-9]+$'))"
    )
    show = "SET citus.override_table_visibility TO off;"
    made.worker(1).sql(show + change.format("false"))
    try:
        yield
    finally:
        made.worker(1).sql(show + change.format("true"))


@contextlib.contextmanager
def plain_role(made: Throwaway) -> Iterator[None]:
    made.sql("CREATE ROLE plain LOGIN")
    made.sql("GRANT pg_monitor TO plain")
    try:
        yield
    finally:
        made.sql("DROP ROLE plain")


def cleanup_record(group: int) -> Provoke:
    return sql(
        "INSERT INTO pg_dist_cleanup VALUES"
        f" ({9000 + group}, 9999, 4, 'citus_shard_move_publication_1_10_9999', {group}, 1)",
        f"DELETE FROM pg_dist_cleanup WHERE record_id = {9000 + group}",
    )


def node_column(column: str) -> Provoke:
    update = "UPDATE pg_dist_node SET {} = {} WHERE nodeport = {{worker1}}"
    return sql(update.format(column, "false"), update.format(column, "true"))


def takes_shards(name: str, *, normally: bool) -> Provoke:
    call = f"SELECT citus_set_node_property('{HOST}', {{{{{name}}}}}, 'shouldhaveshards', {{}})"
    return sql(
        call.format(str(not normally).lower()).replace("{{", "{").replace("}}", "}"),
        call.format(str(normally).lower()).replace("{{", "{").replace("}}", "}"),
    )
