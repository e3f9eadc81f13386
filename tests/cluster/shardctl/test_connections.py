"""shardctl connections: whether there are connections for everybody, through poolers as well."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg2
import pytest

from sharding.inspection import budget
from sharding.inspection.budget import Pooler, Server
from tests.cluster.shardctl.conftest import Shardctl
from tests.cluster.shardctl.pooling import pgbouncer
from tests.throwaway import Throwaway

FINE = Server(
    node="127.0.0.1:1",
    most=397,
    clients=20,
    from_nodes=20,
    client_limit=40,
    pool_limit=200,
    needed=120,
    slots={"standby": 1000},
    pooler=Pooler(address="127.0.0.1:2", clients=3, servers=3, room=25),
)
QUEUE = Pooler(address="127.0.0.1:2", waiting=2, longest_wait=1.5)


@pytest.fixture
def offset(citus: Throwaway, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The offset of a PgBouncer of one connection in front of the coordinator."""
    home: Path = tmp_path_factory.mktemp("pooler")
    with pgbouncer(citus.coordinator, home, mode="transaction") as port:
        yield port - citus.coordinator.port


def test_a_queue_in_a_pooler_is_seen_and_poolers_that_are_not_there_are_named(
    shardctl: Shardctl, citus: Throwaway, offset: int
) -> None:
    dsn = citus.dsn.replace(f":{citus.coordinator.port}/", f":{citus.coordinator.port + offset}/")

    def wait() -> None:
        with contextlib.closing(psycopg2.connect(dsn)) as second:
            second.cursor().execute("SELECT 1")

    with contextlib.closing(psycopg2.connect(dsn)) as first:
        first.cursor().execute("SELECT 1")
        waiting = threading.Thread(target=wait)
        waiting.start()
        codes: set[str] = set()
        while "pooler-queue" not in codes:
            answer = shardctl(
                "connections", "--pooler-offset", str(offset), dsn=citus.dsn, format="json"
            )
            codes = {finding["code"] for finding in answer.data["findings"]}
        first.rollback()
        waiting.join()
    pooler = answer.data["servers"][0]["pooler"]
    assert (pooler["clients"], pooler["waiting"], pooler["servers"]) == (1, 1, 1)
    silent = [s["pooler"]["silence"] for s in answer.data["servers"][1:]]
    assert all("does not answer" in sentence for sentence in silent)
    assert "pooler-silent" in codes


def test_without_poolers_the_servers_are_shown(shardctl: Shardctl, citus: Throwaway) -> None:
    answer = shardctl("connections", dsn=citus.dsn, format="json")
    assert answer.code == 0
    assert [server["pooler"] for server in answer.data["servers"]] == [None] * 3
    assert all(server["clients"] >= 1 for server in answer.data["servers"])
    assert shardctl("connections", dsn=citus.dsn).code == 0


def test_an_idle_slot_is_listed_with_the_wal_that_it_keeps(
    shardctl: Shardctl, citus: Throwaway
) -> None:
    worker = citus.worker(1)
    worker.sql("SELECT pg_create_physical_replication_slot('forgotten', true)")
    try:
        answer = shardctl("connections", dsn=citus.dsn, format="json")
    finally:
        worker.sql("SELECT pg_drop_replication_slot('forgotten')")
    slots = {server["node"]: server["slots"] for server in answer.data["servers"]}
    assert list(slots[worker.address]) == ["forgotten"]


@pytest.mark.parametrize(
    ("server", "codes"),
    [
        (FINE, []),
        (replace(FINE, clients=300), ["connections-nearly-used-up"]),
        (replace(FINE, needed=500), ["connections-over-budget"]),
        (replace(FINE, needed=None, client_limit=-1), []),
        (replace(FINE, pool_limit=30), ["shared-pool-too-small"]),
        (replace(FINE, slots={"gone": 2**31}), ["idle-slot-keeps-wal"]),
        (replace(FINE, pooler=replace(QUEUE, room=25)), ["pooler-queue"]),
        (replace(FINE, pooler=replace(QUEUE, room=50, longest_wait=0)), ["pooler-over-limit"]),
        (replace(FINE, pooler=Pooler(address="a:1", silence="a:1 is away.")), ["pooler-silent"]),
    ],
)
def test_what_does_not_suffice_is_named(server: Server, codes: list[str]) -> None:
    assert [finding.code for finding in budget.judge(server)] == codes


def test_an_offset_that_is_no_number_is_refused(
    shardctl: Shardctl, citus: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_POOLER_PORT_OFFSET", "many")
    assert shardctl("connections", dsn=citus.dsn).code == 2
