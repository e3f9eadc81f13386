"""shardctl status: every node by itself, whatever the others do."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import throwaway
from tests.cluster.shardctl import troubles
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import HOST, Throwaway


@pytest.fixture(scope="module")
def broken() -> Iterator[Throwaway]:
    """A cluster whose workers these tests stop and start."""
    with throwaway.cluster(workers=2) as made:
        yield made


def codes(findings: list[dict[str, str]]) -> set[str]:
    return {finding["code"] for finding in findings}


def test_a_healthy_cluster_has_no_findings(shardctl: Shardctl, citus: Throwaway) -> None:
    answer = shardctl("status", dsn=citus.dsn, format="json")
    assert answer.code == 0
    assert answer.data["findings"] == []
    nodes = {node["name"]: node for node in answer.data["nodes"]}
    assert [nodes[s.address]["role"] for s in citus.servers] == ["coordinator", "worker", "worker"]
    assert all(node["is_up"] for node in nodes.values())
    assert sum(node["shards"] for node in nodes.values()) == 24
    assert len(answer.data["links"]) == 9
    assert all(link["works"] for link in answer.data["links"])


def test_bytes_are_those_of_the_server(shardctl: Shardctl, citus: Throwaway) -> None:
    answer = shardctl("status", dsn=citus.dsn, format="json")
    groups = {tuple(group["tables"]): group["bytes"] for group in answer.data["groups"]}
    real = citus.value(
        "SELECT sum(shard_size) FROM citus_shards WHERE table_name::text IN ('users', 'orders')"
    )
    assert groups["orders", "users"] == real


@pytest.mark.parametrize("width", [80, 120])
def test_the_page_fits_the_terminal(
    width: int, shardctl: Shardctl, citus: Throwaway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    answer = shardctl("status", dsn=citus.dsn)
    assert "Nothing is wrong." in answer.out
    assert max(len(line.rstrip()) for line in answer.out.splitlines()) <= width
    assert "…" not in answer.out


def test_a_dead_worker_is_reported_with_the_figures_of_the_others(
    shardctl: Shardctl, broken: Throwaway
) -> None:
    broken.worker(1).kill()
    try:
        answer = shardctl("status", dsn=broken.dsn, format="json")
    finally:
        broken.worker(1).start()
    assert answer.code == 1
    assert codes(answer.data["findings"]) == {"node-unreachable"}
    nodes = {node["name"]: node for node in answer.data["nodes"]}
    assert not nodes[broken.worker(1).address]["is_up"]
    assert nodes[broken.worker(1).address]["bytes"] is None
    assert nodes[broken.worker(2).address]["bytes"] > 0
    links = {(link["source"], link["target"]): link["works"] for link in answer.data["links"]}
    dead, alive = broken.worker(1).address, broken.worker(2).address
    assert links[alive, dead] is False
    assert links[dead, alive] is None


def test_no_command_hangs_on_a_worker_that_hangs(shardctl: Shardctl, broken: Throwaway) -> None:
    broken.worker(2).freeze()
    try:
        answer = shardctl("status", dsn=broken.dsn, format="json")
        others = {
            name: shardctl(name, dsn=broken.dsn).code
            for name in ("shards", "skew", "preflight", "verify")
        }
    finally:
        broken.worker(2).thaw()
    assert answer.code == 1
    assert others == dict.fromkeys(others, 1)
    nodes = {node["name"]: node for node in answer.data["nodes"]}
    assert "does not answer" in nodes[broken.worker(2).address]["silence"]
    assert nodes[broken.worker(1).address]["bytes"] > 0


def test_a_worker_that_is_down_is_seen_in_the_matrix(shardctl: Shardctl, broken: Throwaway) -> None:
    broken.worker(1).stop()
    try:
        answer = shardctl("status", dsn=broken.dsn)
    finally:
        broken.worker(1).start()
    assert "Who reaches whom" in answer.out
    assert "✗" in answer.out


def test_an_empty_node_is_an_imbalance(shardctl: Shardctl) -> None:
    with throwaway.cluster(workers=1, spare=1) as made:
        assert shardctl("status", dsn=made.dsn, format="json").data["findings"] == []
        made.add(made.spare())
        made.sql("SELECT replicate_reference_tables('block_writes')")
        answer = shardctl("status", dsn=made.dsn, format="json")
        assert codes(answer.data["findings"]) == {"imbalance"}
        assert answer.code == 0
        assert shardctl("status", "--strict", dsn=made.dsn).code == 1


def test_a_cluster_of_the_coordinator_alone_is_fine(shardctl: Shardctl) -> None:
    with throwaway.cluster(workers=0, schema=False) as made:
        made.sql("SELECT citus_set_node_property(%s, %s, 'shouldhaveshards', true)",
                 [HOST, made.coordinator.port])  # fmt: skip
        answer = shardctl("status", dsn=made.dsn, format="json")
        assert answer.code == 0
        assert answer.data["findings"] == []
        made.sql("SELECT citus_remove_node(%s, %s)", [HOST, made.coordinator.port])
        unregistered = shardctl("status", dsn=made.dsn, format="json")
    assert unregistered.code == 1
    assert codes(unregistered.data["findings"]) == {"coordinator-not-registered"}


def test_a_move_that_runs_is_shown(shardctl: Shardctl, broken: Throwaway) -> None:
    with troubles.move_that_waits(broken):
        answer = shardctl("status", dsn=broken.dsn, format="json")
        page = shardctl("status", dsn=broken.dsn).out
    (move,) = [move for move in answer.data["moves"] if move["table"] == "stock"]
    assert {move["source"], move["target"]} == {worker.address for worker in broken.workers}
    assert "Running" in page


def test_a_key_of_a_dead_node_has_its_place_without_rows(
    shardctl: Shardctl, broken: Throwaway
) -> None:
    home = shardctl("where", "12", dsn=broken.dsn, format="json").data[0]["node"]
    worker = next(worker for worker in broken.workers if worker.address == home)
    worker.stop()
    try:
        answer = shardctl("where", "12", dsn=broken.dsn)
    finally:
        worker.start()
    assert answer.code == 0
    assert home in answer.out
    assert "rows were not counted" in answer.out
