"""Has every node the settings and the free slots and processes that a move takes?

A move copies a shard group while it is written: the source needs one replication slot and one WAL
sender per owner of its tables, the target one logical replication worker each, which is one of its
worker processes. The coordinator needs worker processes to run the job at all (citus#7103).
"""

from __future__ import annotations

import re
from datetime import timedelta

from sharding.figures import bytes_, duration
from sharding.inspection.preflight.building import Check, Findings, error, warning
from sharding.inspection.preflight.facts import Capacity, Facts

SLOW_LAUNCH = timedelta(seconds=2)
ALTER = "ALTER SYSTEM SET {name} TO {value}; then restart the node."


def wal_level(facts: Facts) -> Findings:
    """Without logical decoding a move has to block writes."""
    for name, capacity in _asked(facts):
        level = capacity.settings["wal_level"]
        if level != "logical":
            yield error(
                "wal-level",
                f"{name} has wal_level = {level}; moving under writes needs logical.",
                remedy=ALTER.format(name="wal_level", value="logical"),
                node=name,
            )


def slots(facts: Facts) -> Findings:
    """Free replication slots and WAL senders, logical workers and worker processes."""
    need = facts.owners
    for name, capacity in _asked(facts):
        for code, setting, used in (
            ("replication-slots", "max_replication_slots", capacity.slots),
            ("wal-senders", "max_wal_senders", capacity.senders),
            ("logical-workers", "max_logical_replication_workers", capacity.logical_workers),
        ):
            yield from _free(name, capacity, code, setting, used=used, need=need)


def worker_processes(facts: Facts) -> Findings:
    """Without a free worker process the job never starts, and says nothing."""
    for state in facts.nodes:
        if state.capacity is None:
            continue
        # The coordinator: the monitor of the queue, and one executor.
        need = 2 if state.node.is_coordinator else facts.owners
        yield from _free(
            state.node.name,
            state.capacity,
            "worker-processes",
            "max_worker_processes",
            used=state.capacity.worker_processes,
            need=need,
        )


def asynchronous_commit(facts: Facts) -> Findings:
    """Citus switches over when the target has reached what the source has written.

    An asynchronous commit is acknowledged before it is written: it stays behind and is lost
    (pg_current_wal_lsn() in multi_logical_replication.c).
    """
    for name, capacity in _asked(facts):
        if capacity.settings.get("synchronous_commit") == "off":
            yield error(
                "asynchronous-commit",
                f"{name} has synchronous_commit = off: a move under writes would lose the last"
                " rows that were committed before the switch.",
                remedy="ALTER SYSTEM SET synchronous_commit TO on; SELECT pg_reload_conf();"
                " and for no role or transaction off, while shards move.",
                node=name,
            )


def output_plugin(facts: Facts) -> Findings:
    """Newer minor versions decode only with the plugins that they are told of."""
    for name, capacity in _asked(facts):
        listed = capacity.settings.get("output_plugin_libraries")
        if listed is not None and "citus" not in re.split(r"[\s,]+", listed):
            yield warning(
                "output-plugin",
                f"{name} lets nobody decode with Citus's plugin (output_plugin_libraries ="
                f" {listed}): split and isolate would fail. Moves do not need it.",
                remedy="ALTER SYSTEM SET output_plugin_libraries TO pgoutput, citus;"
                " SELECT pg_reload_conf();",
                node=name,
            )


def slow_launch(facts: Facts) -> Findings:
    """The apply worker of a move is launched only so often (default 5 s)."""
    for name, capacity in _asked(facts):
        interval = timedelta(milliseconds=capacity.number("wal_retrieve_retry_interval"))
        if interval >= SLOW_LAUNCH:
            yield warning(
                "slow-launch",
                f"{name} launches a move's apply worker only every {duration(interval)}: every"
                " move to it takes that much longer, whatever its size.",
                remedy="ALTER SYSTEM SET wal_retrieve_retry_interval TO '500ms';"
                " SELECT pg_reload_conf();",
                node=name,
            )


def limits(facts: Facts) -> Findings:
    """Limits that end a move in the middle."""
    for state in facts.nodes:
        capacity, name = state.capacity, state.node.name
        if capacity is None:
            continue
        if capacity.statement_timeout:
            seconds = capacity.statement_timeout.total_seconds()
            yield warning(
                "statement-timeout",
                f"{name} ends every statement after {seconds:g} s, copies of shards as well.",
                remedy="Set statement_timeout on the application's role instead of server,"
                " database or superuser.",
                node=name,
            )
        if "max_slot_wal_keep_size" in capacity.bytes:
            limit = capacity.bytes["max_slot_wal_keep_size"]
            biggest = facts.biggest.bytes or 0 if facts.biggest else 0
            if 0 <= limit < 2 * biggest:
                yield warning(
                    "slot-wal-limit",
                    f"{name} gives up a slot that holds back more than"
                    f" {bytes_(limit)} of WAL (max_slot_wal_keep_size).",
                    remedy="ALTER SYSTEM SET max_slot_wal_keep_size TO -1;"
                    " SELECT pg_reload_conf();",
                    node=name,
                )


def _free(
    node: str, capacity: Capacity, code: str, setting: str, *, used: int, need: int
) -> Findings:
    allowed = capacity.number(setting)
    if allowed - used < need:
        yield error(
            code,
            f"{node} has {max(allowed - used, 0)} of {allowed} {setting} left;"
            f" a move takes {need}.",
            remedy=ALTER.format(name=setting, value=max(used + need, allowed) + need + 4),
            node=node,
        )


def _asked(facts: Facts) -> list[tuple[str, Capacity]]:
    return [(s.node.name, s.capacity) for s in facts.movers if s.capacity is not None]


CHECKS: tuple[Check, ...] = (
    wal_level,
    slots,
    worker_processes,
    asynchronous_commit,
    output_plugin,
    slow_launch,
    limits,
)
