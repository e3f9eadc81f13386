"""Every worker has the metadata: looking at a cluster goes on while its coordinator is away."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import throwaway
from tests.cluster.shardctl.conftest import Shardctl
from tests.throwaway import HOST, Throwaway


@pytest.fixture(scope="module")
def headless() -> Iterator[Throwaway]:
    """A cluster whose coordinator is stopped."""
    with throwaway.cluster(workers=2) as made:
        made.coordinator.stop()
        yield made


def all_nodes(made: Throwaway) -> str:
    ports = ",".join(f"{HOST}:{server.port}" for server in [made.coordinator, *made.workers])
    return f"postgresql://postgres@{ports}/postgres"


@pytest.mark.parametrize(
    "line",
    [
        ["shards"],
        ["where", "1", "--table", "stock"],
        ["skew"],
        ["activity"],
        ["locks"],
        ["health"],
        ["verify", "--no-checksums"],
        ["status"],
    ],
    ids=" ".join,
)
def test_a_worker_answers_in_its_place(
    line: list[str], shardctl: Shardctl, headless: Throwaway
) -> None:
    answer = shardctl(*line, dsn=all_nodes(headless), format="json")
    assert "data" in answer.json, answer.out
    assert answer.code in {0, 1}
    assert f"{headless.coordinator.address}, does not answer" in answer.err.replace("\n", " ")


def test_status_shows_the_coordinator_as_down_and_the_workers_as_they_are(
    shardctl: Shardctl, headless: Throwaway
) -> None:
    data = shardctl("status", dsn=all_nodes(headless), format="json").data
    up = {node["name"]: node["is_up"] for node in data["nodes"]}
    assert up == {
        headless.coordinator.address: False,
        headless.worker(1).address: True,
        headless.worker(2).address: True,
    }


def test_nothing_is_changed_without_it(shardctl: Shardctl, headless: Throwaway) -> None:
    answer = shardctl("rebalance", "--yes", dsn=all_nodes(headless), format="json")
    assert answer.code == 3
    assert answer.error["code"] == "not_the_coordinator"


def test_the_coordinator_is_found_wherever_it_stands_in_the_list(
    shardctl: Shardctl, citus: Throwaway
) -> None:
    ports = ",".join(
        f"{HOST}:{server.port}" for server in [citus.worker(1), citus.coordinator, citus.worker(2)]
    )
    answer = shardctl("shards", dsn=f"postgresql://postgres@{ports}/postgres", format="json")
    assert answer.code == 0
    assert answer.err == ""


def test_a_worker_alone_is_no_stand_in(shardctl: Shardctl, citus: Throwaway) -> None:
    answer = shardctl("status", dsn=citus.worker(1).dsn, format="json")
    assert answer.code == 3
    assert citus.coordinator.address in answer.error["message"]


def test_hosts_and_ports_have_to_match(shardctl: Shardctl) -> None:
    dsn = "host=a,b,c port=1,2 dbname=postgres"
    assert shardctl("status", dsn=dsn, format="json").code == 2
