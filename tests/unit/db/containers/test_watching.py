"""Who joins, and when; the cluster itself is a list here."""

from pathlib import Path

import psycopg2
import pytest

from db.cluster.servers import Server
from db.containers.watching import NotYet, Watch

COORDINATOR = Server("coordinator", 5432)
ONE, TWO, THREE, FOUR = (Server(f"shardmart-worker-{number}", 5432) for number in range(1, 5))


class Cluster:
    """The containers that run, the nodes of pg_dist_node, and what was asked of them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.running = [ONE, TWO]
        self.addresses = {
            worker: f"10.89.0.6{worker.host[-1]}" for worker in (ONE, TWO, THREE, FOUR)
        }
        self.members = {COORDINATOR}
        self.settled: list[list[Server]] = []
        self.added: list[Server] = []
        self.busy = ""
        self.down = False

    def settle(self, workers: list[Server]) -> None:
        if self.down:
            raise psycopg2.OperationalError("connection refused\n\tIs the server running?")
        self.settled.append(workers)
        if self.members == {COORDINATOR}:
            self.members |= set(workers)

    def add(self, worker: Server) -> None:
        if self.busy:
            raise NotYet(self.busy)
        self.added.append(worker)
        self.members.add(worker)

    def known(self) -> set[Server]:
        if self.down:
            raise psycopg2.OperationalError("connection refused")
        return self.members

    def watch(self) -> Watch:
        """Return a watch as it is after a restart: it knows what its directory holds."""
        return Watch(
            directory=self.directory,
            running=lambda: {worker: self.addresses[worker] for worker in self.running},
            members=self.known,
            settle=self.settle,
            add=self.add,
        )

    def targets(self, job: str = "postgres") -> str:
        return (self.directory / f"prometheus/targets/{job}.yml").read_text()


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path)


def test_a_worker_that_appears_joins_once(cluster: Cluster) -> None:
    watch = cluster.watch()
    watch.look()
    watch.look()
    assert (cluster.settled, cluster.added) == ([[ONE, TWO]], [])
    cluster.running = [ONE, TWO, THREE]
    watch.look()
    watch.look()
    assert (cluster.settled, cluster.added) == ([[ONE, TWO], [THREE]], [THREE])
    assert "shardmart-worker-3:5432" in cluster.targets()


def test_a_worker_that_was_removed_does_not_come_back_while_it_runs(cluster: Cluster) -> None:
    cluster.running = [ONE, TWO, THREE]
    cluster.watch().look()
    cluster.members.remove(THREE)
    # Neither when the watch is made anew, nor when another one appears.
    cluster.watch().look()
    cluster.running = [ONE, TWO, THREE, FOUR]
    cluster.watch().look()
    assert cluster.members == {COORDINATOR, ONE, TWO, FOUR}
    assert "shardmart-worker-3" not in cluster.targets()


def test_a_worker_that_was_gone_and_is_back_joins_again(cluster: Cluster) -> None:
    watch = cluster.watch()
    cluster.running = [ONE, TWO, THREE]
    watch.look()
    cluster.members.remove(THREE)
    cluster.running = [ONE, TWO]
    watch.look()
    cluster.running = [ONE, TWO, THREE]
    watch.look()
    assert THREE in cluster.members


def test_a_container_made_anew_between_two_looks_has_appeared(cluster: Cluster) -> None:
    watch = cluster.watch()
    cluster.running = [ONE, TWO, THREE]
    watch.look()
    cluster.members.remove(THREE)
    cluster.addresses[THREE] = "10.89.0.99"
    watch.look()
    assert THREE in cluster.members


def test_a_worker_that_is_gone_stays_a_member_and_is_asked_for(cluster: Cluster) -> None:
    watch = cluster.watch()
    watch.look()
    cluster.running = [ONE]
    watch.look()
    assert TWO in cluster.members
    assert "shardmart-worker-2:5432" in cluster.targets()


def test_a_name_service_that_says_nothing_is_no_news(cluster: Cluster) -> None:
    cluster.running = [ONE, TWO, THREE]
    watch = cluster.watch()
    watch.look()
    cluster.members.remove(THREE)
    cluster.running = []
    watch.look()
    cluster.running = [ONE, TWO, THREE]
    watch.look()
    assert THREE not in cluster.members


def test_a_worker_that_does_not_answer_yet_joins_later(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = cluster.watch()
    cluster.down = True
    watch.look()
    assert cluster.settled == []
    said = capsys.readouterr().out
    assert said == "not yet: connection refused Is the server running?\n"
    assert (cluster.directory / "watch").exists(), "the health check would call it dead"
    cluster.down = False
    watch.look()
    assert cluster.settled == [[ONE, TWO]]


def test_a_worker_that_shardctl_refuses_for_now_joins_later(
    cluster: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = cluster.watch()
    watch.look()
    cluster.running = [ONE, TWO, THREE]
    cluster.busy = "another shardctl is at work"
    watch.look()
    assert THREE not in cluster.members
    assert capsys.readouterr().out == "not yet: another shardctl is at work\n"
    cluster.busy = ""
    watch.look()
    assert THREE in cluster.members


def test_while_the_coordinator_is_gone_the_targets_stay(cluster: Cluster) -> None:
    watch = cluster.watch()
    watch.look()
    before = cluster.targets()
    cluster.down = True
    watch.look()
    assert cluster.targets() == before
