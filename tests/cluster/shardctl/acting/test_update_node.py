"""shardctl update-node: a node at another address, and nothing else in its place."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any

import pytest

from tests.cluster.shardctl.acting.conftest import quick_cluster
from tests.cluster.shardctl.conftest import Shardctl
from tests.edge import free_ports
from tests.throwaway import HOST, Server, Throwaway

ADDRESSES = "SELECT array_agg(nodeport ORDER BY nodeid) FROM pg_dist_node"


@pytest.fixture(scope="module")
def moving() -> Iterator[Throwaway]:
    with quick_cluster(workers=2, spare=1) as made:
        yield made


def known_ports(made: Throwaway) -> list[list[int]]:
    return [server.value(ADDRESSES) for server in [made.coordinator, *made.workers]]


def codes(answer: Any) -> str:
    assert answer.code == 4, answer.out + answer.err
    message: str = answer.error["message"]
    return message.partition(": ")[2]


def copy_of(server: Server, name: str, *, standby: bool = False) -> Server:
    """Start a copy of a stopped server's data on another port."""
    data = server.data.parent / name
    shutil.copytree(server.data, data)
    server.account.own(data, mode=0o700)
    for path in data.rglob("*"):
        server.account.own(path, mode=path.stat().st_mode & 0o777)
    if standby:
        (data / "standby.signal").touch()
    (port,) = free_ports(1)
    made = replace(server, name=name, data=data, port=port, process=None)
    made.start()
    return made


def test_a_node_on_another_port_is_found_by_all_nodes_and_the_rows_with_it(
    shardctl: Shardctl, moving: Throwaway
) -> None:
    rows = moving.value("SELECT count(*) FROM orders")
    worker = moving.worker(1)
    old = worker.address
    worker.stop()
    (worker.port,) = free_ports(1)
    worker.start()
    answer = shardctl(
        "update-node", old, "--to", worker.address, "--yes", dsn=moving.dsn, format="json"
    )
    assert answer.code == 0, answer.err
    assert (answer.data["node"], answer.data["address"]) == (old, worker.address)
    expected = [server.port for server in [moving.coordinator, *moving.workers]]
    assert known_ports(moving) == [expected] * 3
    for server in [moving.coordinator, *moving.workers]:
        assert server.value("SELECT count(*) FROM orders") == rows
    (run,) = [r for r in shardctl("jobs", dsn=moving.dsn, format="json").data["runs"]
              if r["command"].startswith("update-node")]  # fmt: skip
    assert run["outcome"] == "done"


def test_only_the_node_itself_or_a_copy_of_it_may_take_its_place(
    shardctl: Shardctl, moving: Throwaway
) -> None:
    before = known_ports(moving)
    node = moving.worker(1).address

    def refusal(target: str) -> str:
        return codes(
            shardctl("update-node", node, "--to", target, "--yes", dsn=moving.dsn, format="json")
        )

    assert "another-node" in refusal(moving.spare().address)
    assert "unreachable" in refusal(f"{HOST}:1")
    assert known_ports(moving) == before


def test_a_copy_that_does_not_take_writes_or_is_not_alone_is_refused(
    shardctl: Shardctl, moving: Throwaway
) -> None:
    before = known_ports(moving)
    worker = moving.worker(2)
    worker.stop()
    standby = copy_of(worker, "standby", standby=True)
    twin = copy_of(worker, "twin")
    worker.start()
    try:
        call = ["update-node", worker.address, "--yes", "--to"]
        answer = shardctl(*call, standby.address, dsn=moving.dsn, format="json")
        assert "standby" in codes(answer)
        answer = shardctl(*call, twin.address, dsn=moving.dsn, format="json")
        assert "two-primaries" in codes(answer)
        assert known_ports(moving) == before
        worker.stop()
        answer = shardctl(*call, twin.address, dsn=moving.dsn, format="json")
        assert answer.code == 0, answer.err
        assert twin.port in known_ports(replace(moving, workers=[moving.worker(1), twin]))[0]
    finally:
        standby.stop()
        twin.stop()


@pytest.mark.parametrize("target", ["nonsense", "127.0.0.1:x"])
def test_an_address_that_is_none_is_a_usage_error(
    shardctl: Shardctl, citus: Throwaway, target: str
) -> None:
    node = citus.worker(1).address
    assert shardctl("update-node", node, "--to", target, dsn=citus.dsn).code == 2


def test_the_address_of_another_node_is_refused(shardctl: Shardctl, citus: Throwaway) -> None:
    one, other = (worker.address for worker in citus.workers)
    assert shardctl("update-node", one, "--to", other, "--yes", dsn=citus.dsn).code == 2


def test_sessions_at_the_old_address_are_waited_for_and_told(
    shardctl: Shardctl,
) -> None:
    """The old server became a standby that still answers: applications have to leave it."""
    with quick_cluster(workers=2) as made:
        worker = made.worker(1)
        worker.stop()
        promoted = copy_of(worker, "promoted")
        (worker.data / "standby.signal").touch()
        worker.start()
        with closing(worker.connect()):
            call = ["update-node", worker.address, "--to", promoted.address, "--yes"]
            answer = shardctl(*call, "--wait", "0", dsn=made.dsn, format="json")
        promoted.stop()
    assert answer.code == 1
    assert answer.data["clients"] == 1
