"""Everything that preflight warns of, each with the way to bring it about."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from tests.cluster.shardctl.provoking import (
    QUIETLY,
    Provoke,
    cleanup_record,
    full_of_slots,
    idle_transaction,
    invalid_index,
    long_transaction,
    move_that_waits,
    node_column,
    on_worker,
    orphaned_shard,
    plain_role,
    prepared_transaction,
    restarted,
    setting,
    spare_added,
    sql,
    stopped,
    takes_shards,
)
from tests.throwaway import Throwaway

SETTINGS = {
    "citus.defer_shard_delete_interval": "-1",
    "citus.recover_2pc_interval": "-1",
    "citus.metadata_sync_interval": "'1h'",
}
# Versions differ only where two of them are installed, and a coordinator that has workers cannot
# be forgotten: tests/unit/sharding/test_preflight.py, and test_status.py for the latter.
JUDGED_WITHOUT_A_CLUSTER = {
    "citus-version-mismatch",
    "postgresql-version-mismatch",
    "coordinator-not-registered",
}


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """One thing that goes wrong, by the code of its finding."""

    code: str
    severity: str
    provoke: Provoke
    options: tuple[str, ...] = ()
    dsn: Callable[[Throwaway], str] = field(default=lambda made: made.dsn)


LOOSE = (
    "CREATE {} TABLE loose (user_id uuid{});;"
    "SELECT create_distributed_table('loose', 'user_id', colocate_with => 'users')"
)
JOB = "INSERT INTO pg_dist_background_job (state, job_type, description) VALUES ('running', {})"


def error(code: str, provoke: Provoke, **more: object) -> Trouble:
    return Trouble(code=code, severity="error", provoke=provoke, **more)  # type: ignore[arg-type]


def warning(code: str, provoke: Provoke, **more: object) -> Trouble:
    return Trouble(code=code, severity="warning", provoke=provoke, **more)  # type: ignore[arg-type]


ALL = (
    error("node-unreachable", stopped),
    error("link-broken", setting("citus.node_conninfo", "'sslmode=verify-full'")),
    error("node-inactive", node_column("isactive")),
    error("metadata-not-synced", node_column("metadatasynced")),
    error(
        "extension-mismatch",
        on_worker(
            "UPDATE pg_extension SET extversion = '13.1-1' WHERE extname = 'citus'",
            "UPDATE pg_extension SET extversion = (SELECT default_version"
            " FROM pg_available_extensions WHERE name = 'citus') WHERE extname = 'citus'",
        ),
    ),
    error("not-superuser", plain_role, dsn=lambda made: made.dsn.replace("postgres@", "plain@")),
    warning("takes-no-shards", takes_shards("worker1", normally=True)),
    warning("nowhere-to-move", takes_shards("worker1", normally=True)),
    warning("coordinator-takes-shards", takes_shards("coordinator", normally=False)),
    error("wal-level", restarted(wal_level="replica")),
    error("replication-slots", full_of_slots),
    error("wal-senders", restarted(max_wal_senders="0")),
    error("logical-workers", restarted(max_logical_replication_workers="0")),
    error("worker-processes", restarted(max_worker_processes="2")),
    warning("slow-launch", setting("wal_retrieve_retry_interval", "'5s'")),
    error("asynchronous-commit", setting("synchronous_commit", "off")),
    warning("output-plugin", setting("output_plugin_libraries", "pgoutput")),
    warning("statement-timeout", setting("statement_timeout", "'10min'")),
    warning("slot-wal-limit", setting("max_slot_wal_keep_size", "0")),
    error("replica-identity", sql(LOOSE.format("", ""), "DROP TABLE loose")),
    error("unlogged-table", sql(LOOSE.format("UNLOGGED", " PRIMARY KEY"), "DROP TABLE loose")),
    warning("reference-tables-missing", spare_added),
    error("disk-space", setting("citus.desired_percent_disk_available_after_move", "100")),
    warning(
        "wal-headroom",
        sql("SELECT 1", "SELECT 1"),
        options=("--wal-headroom", "1000TB"),
    ),
    warning("idle-in-transaction", idle_transaction, options=("--long", "0")),
    warning("long-transaction", long_transaction, options=("--long", "0")),
    error(
        "job-running",
        sql(
            JOB.format("'rebalance', 'Rebalance all'"),
            "DELETE FROM pg_dist_background_job WHERE state = 'running'",
        ),
    ),
    error("operation-running", move_that_waits),
    warning("cleanup-record", cleanup_record(1)),
    error("cleanup-record-of-a-lost-node", cleanup_record(99)),
    error("orphaned-shard", orphaned_shard),
    warning(
        "stray-replication-slot",
        on_worker(
            "SELECT pg_create_logical_replication_slot('citus_shard_move_slot_1_10_99',"
            " 'pgoutput')",
            "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots",
        ),
    ),
    warning(
        "stray-publication",
        on_worker(
            f"{QUIETLY} CREATE PUBLICATION citus_shard_move_publication_1_10_99",
            f"{QUIETLY} DROP PUBLICATION IF EXISTS citus_shard_move_publication_1_10_99",
        ),
    ),
    warning(
        "stray-subscription",
        on_worker(
            "CREATE SUBSCRIPTION citus_shard_move_subscription_10_99 CONNECTION 'host=nowhere'"
            " PUBLICATION nothing WITH (connect = false, slot_name = NONE)",
            "DROP SUBSCRIPTION IF EXISTS citus_shard_move_subscription_10_99",
        ),
    ),
    warning(
        "stray-subscription-role",
        on_worker(
            f"{QUIETLY} CREATE ROLE citus_shard_move_subscription_role_10_99",
            f"{QUIETLY} DROP ROLE IF EXISTS citus_shard_move_subscription_role_10_99",
        ),
    ),
    error("stray-prepared-transaction", prepared_transaction),
    warning("invalid-index", invalid_index),
)
