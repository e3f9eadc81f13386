"""No table goes on one witness's word: the coordinator may be behind, or a worker be restored."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from sharding.inspection import consistency
from tests.cluster.shardctl.acting.conftest import (
    YES,
    assert_clean,
    other_worker,
    quick_cluster,
    server_of,
    user_shard,
)
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import HOST, Server, Throwaway

PLACE = "UPDATE pg_dist_placement SET groupid = %s WHERE shardid = ANY(%s)"
GROUP_OF = "SELECT groupid FROM pg_dist_node WHERE nodeport = %s"
ALLOW = "SET citus.enable_manual_changes_to_shards TO on;"
ROWS = "SELECT count(*) FROM users_{}"


@pytest.fixture(scope="module")
def made() -> Iterator[Throwaway]:
    """Two workers and a spare; each test puts right what it spoils."""
    with quick_cluster(workers=2, spare=1) as cluster:
        yield cluster


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing here heals by itself, so nobody has to wait for it."""
    monkeypatch.setattr(consistency, "PAUSE_SECONDS", 0)


@pytest.fixture
def moved(made: Throwaway) -> Iterator[tuple[int, Server, Server]]:
    """User 1's shard, which was moved; the coordinator has forgotten that, as after a failover."""
    shard = user_shard(made)
    source, target = server_of(made, shard), other_worker(made, shard)
    call = "SELECT citus_move_shard_placement(%s, %s, %s, %s, %s, 'block_writes')"
    made.sql(call, [shard, HOST, source.port, HOST, target.port])
    made.sql("CALL citus_cleanup_orphaned_resources()")
    ids = [row.shardid for row in made.sql(
        "SELECT shardid FROM pg_dist_shard WHERE logicalrelid::text IN ('users', 'orders')"
        " AND shardminvalue = (SELECT shardminvalue FROM pg_dist_shard WHERE shardid = %s)",
        [shard],
    )]  # fmt: skip
    made.sql(PLACE, [made.value(GROUP_OF, [source.port]), ids])
    yield shard, source, target
    made.sql(PLACE, [made.value(GROUP_OF, [target.port]), ids])
    assert_clean(made)


def acting_commands(made: Throwaway, shard: int, target: Server) -> list[list[str]]:
    """Every command that changes something, on the shard in question and on others."""
    other = made.value(
        "SELECT shardid FROM citus_shards WHERE table_name = 'stock'::regclass AND nodeport <> %s",
        [target.port],
    )
    user = made.value("SELECT md5('user 1')::uuid::text")
    return [
        ["move", str(shard), "--to", target.address],
        ["move", str(other), "--to", target.address],
        ["split", str(shard)],
        ["split", str(other)],
        ["isolate", user],
        ["isolate", "7", "--table", "stock"],
        ["rebalance"],
        ["rebalance", "--by", "shards", "--mode", "block_writes"],
        ["drain", target.address],
        ["drain", target.address, "--undo"],
        ["add-node", made.spare().address],
        ["remove-node", target.address],
        ["remove-node", target.address, "--force"],
        ["stop"],
        ["stop", "--now"],
        ["verify", "--fix"],
        ["verify", "--fix", "--no-checksums"],
        ["quarantine", "--drop", "--older-than", "0"],
    ]


def forced(words: list[str]) -> list[str]:
    """All consent that a script can give."""
    takes_force = words[0] not in {"stop", "verify", "quarantine"} and "--force" not in words
    return [*words, "--yes", *(["--force"] if takes_force else [])]


def test_every_acting_command_refuses_while_the_coordinator_is_behind_and_nothing_is_lost(
    made: Throwaway, shardctl: Shardctl, moved: tuple[int, Server, Server]
) -> None:
    shard, _, target = moved
    before = target.value(ROWS.format(shard))
    assert before > 0
    for words in acting_commands(made, shard, target):
        answer = shardctl(*forced(words), dsn=made.dsn, format="json")
        assert (answer.code, answer.error["code"]) == (4, "nodes_disagree"), (words, answer)
        assert "“Nodes disagree”" in answer.error["message"]
        assert target.value(ROWS.format(shard)) == before, words
    assert made.spare().sql("SELECT 1 FROM pg_dist_node") == []


def test_the_findings_say_who_says_what_and_advise_nothing_that_destroys(
    made: Throwaway, shardctl: Shardctl, moved: tuple[int, Server, Server]
) -> None:
    shard, source, target = moved
    for command in ("verify", "preflight", "status"):
        answer = shardctl(command, dsn=made.dsn, format="json")
        assert answer.code == 1, command
        findings = {finding["code"]: finding for finding in answer.data["findings"]}
        assert findings.keys() >= {"metadata-differs", "shard-disputed", "shard-missing"}
        assert "orphaned-shard" not in findings
        remedies = " ".join(finding["remedy"] for finding in findings.values())
        assert "sync_to_all" not in remedies
        assert "orphan" not in remedies
        assert "--fix" not in remedies
        disputed = next(
            finding["message"]
            for finding in answer.data["findings"]
            if finding["code"] == "shard-disputed" and f"users_{shard}" in finding["message"]
        )
        assert f"{source.address} says {made.coordinator.address}" in disputed
        assert f"Its table is on {target.address} (" in disputed


def test_a_placement_without_a_table_forbids_every_acting_command(
    made: Throwaway, shardctl: Shardctl
) -> None:
    shard = user_shard(made)
    server, target = server_of(made, shard), other_worker(made, shard)
    server.sql(f"{ALLOW} ALTER TABLE orders_{_orders(made, shard)} RENAME TO aside")
    try:
        answers = [shardctl(*forced(words), dsn=made.dsn, format="json")
                   for words in acting_commands(made, shard, target)]  # fmt: skip
    finally:
        server.sql(f"{ALLOW} ALTER TABLE aside RENAME TO orders_{_orders(made, shard)}")
    assert {answer.error["code"] for answer in answers} == {"nodes_disagree"}
    assert all("has no such table" in answer.error["message"] for answer in answers)
    assert_clean(made)


@contextlib.contextmanager
def orphan(made: Throwaway, rows: int) -> Iterator[tuple[Server, str]]:
    """A table where all nodes agree that its shard lies elsewhere, as an old failure leaves it."""
    shard = user_shard(made)
    server, name = other_worker(made, shard), f"users_{shard}"
    quietly = "SET citus.enable_ddl_propagation TO off;"
    server.sql(f"{quietly} CREATE TABLE {name} AS SELECT n FROM generate_series(1, {rows}) n")
    try:
        yield server, name
    finally:
        server.sql(f"{quietly} DROP TABLE IF EXISTS {name}")


def test_an_orphan_with_more_rows_than_the_recorded_shard_stays(
    made: Throwaway, shardctl: Shardctl
) -> None:
    with orphan(made, rows=1000) as (server, name):
        answer = shardctl("verify", "--fix", "--no-checksums", "--yes", dsn=made.dsn)
        assert answer.code == 1
        assert f"{name} stays, because it has 1,000 rows" in " ".join(answer.err.split())
        assert server.value(f"SELECT count(*) FROM {name}") == 1000
    assert_clean(made)


def test_no_acting_command_removes_a_table_by_itself(made: Throwaway, shardctl: Shardctl) -> None:
    shard = user_shard(made)
    with orphan(made, rows=1) as (server, name):
        target = other_worker(made, shard).address
        moving = shardctl("move", str(shard), "--to", target, *YES, dsn=made.dsn)
        stopping = shardctl("stop", "--yes", dsn=made.dsn)
        assert (moving.code, stopping.code) == (4, 0)
        assert "orphaned-shard" in moving.err
        assert server.value(f"SELECT count(*) FROM {name}") == 1
    assert_clean(made)


def test_a_superfluous_table_goes_to_quarantine_and_is_dropped_on_request_alone(
    made: Throwaway, shardctl: Shardctl
) -> None:
    with orphan(made, rows=3) as (server, name):
        fixed = shardctl("verify", "--fix", "--no-checksums", "--yes", dsn=made.dsn)
        assert fixed.code == 0, fixed.err
        kept = shardctl("quarantine", dsn=made.dsn, format="json").data["tables"]
        assert [(table["node"], table["origin"]) for table in kept] == [(server.address, name)]
        assert datetime.fromisoformat(kept[0]["since"]) > datetime.now(UTC) - timedelta(minutes=5)
        place = f"shardctl_quarantine.{kept[0]['name']}"
        assert server.value(f"SELECT count(*) FROM {place}") == 3
        young = shardctl("quarantine", "--drop", "--yes", dsn=made.dsn, format="json")
        assert young.data["dropped"] == []
        unasked = shardctl("quarantine", "--drop", "--older-than", "0", dsn=made.dsn)
        assert unasked.code == 2
        assert server.value(f"SELECT count(*) FROM {place}") == 3
        page = shardctl("quarantine", dsn=made.dsn).out
        assert name in page
        dropped = shardctl(
            "quarantine", "--drop", "--older-than", "0", "--yes", dsn=made.dsn, format="json"
        )
        assert [table["origin"] for table in dropped.data["dropped"]] == [name]
        assert server.value("SELECT to_regclass(%s)", [place]) is None
    assert_clean(made)


def test_nothing_is_put_aside_while_a_node_is_silent(made: Throwaway, shardctl: Shardctl) -> None:
    with orphan(made, rows=1) as (server, name):
        silent = next(worker for worker in made.workers if worker is not server)
        silent.stop()
        try:
            answer = shardctl("verify", "--fix", "--no-checksums", "--yes", dsn=made.dsn)
        finally:
            silent.start()
        assert answer.code == 1
        assert server.value(f"SELECT count(*) FROM {name}") == 1


def test_a_removed_node_decides_over_no_transaction_of_its_successor(
    made: Throwaway, shardctl: Shardctl
) -> None:
    """Its recovery is off and its list of nodes empty before the others forget it (citus#8855)."""
    spare = made.spare()
    assert shardctl("add-node", spare.address, *YES, dsn=made.dsn).code == 0
    statements = shardctl("remove-node", spare.address, "--yes", "--show-sql", dsn=made.dsn)
    assert statements.code == 0, statements.err
    told = statements.err
    off, empty = told.index("recover_2pc_interval TO -1"), told.index("DELETE FROM pg_dist_node")
    assert off < empty < told.index("citus_remove_node")
    assert spare.sql("SELECT 1 FROM pg_dist_node") == []
    assert spare.value("SHOW citus.recover_2pc_interval") != "-1"
    assert_clean(made)


def test_a_node_that_cannot_be_told_is_removed_only_by_force(
    made: Throwaway, shardctl: Shardctl
) -> None:
    spare = made.spare()
    made.add(spare)
    made.sql("SELECT replicate_reference_tables('block_writes')")
    spare.stop()
    try:
        refused = shardctl("remove-node", spare.address, "--yes", dsn=made.dsn)
        nodes = made.value("SELECT count(*) FROM pg_dist_node")
        removed = shardctl("remove-node", spare.address, "--yes", "--force", dsn=made.dsn)
    finally:
        spare.start()
    assert (refused.code, nodes, removed.code) == (4, 4, 0), refused.err + removed.err
    assert "citus#8855" in refused.err
    assert "citus#8855" in removed.out
    assert_clean(made)


def _orders(made: Throwaway, shard: int) -> int:
    sql = (
        "SELECT o.shardid FROM pg_dist_shard o JOIN pg_dist_shard u USING (shardminvalue)"
        " WHERE u.shardid = %s AND o.logicalrelid = 'orders'::regclass"
    )
    return int(made.value(sql, [shard]))
