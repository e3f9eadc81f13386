"""Every queue has processes that take from it, in both stacks, and shares none with who waits."""

import re
from pathlib import Path

import pytest
import yaml
from celery import current_app

from db.containers import targets
from db.local.programs import WORKER_QUEUES
from db.remote.host import rolling
from shop.config.schedule import BEAT_SCHEDULE
from shop.core.tasks import DEFAULT, LIMITS, SWEEP, queue_of

ROOT = Path(__file__).resolve().parents[3]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
QUEUES = re.compile(r"--queues=(\S+)")

COMPOSED = {
    name: found.group(1)
    for name, service in SERVICES.items()
    if (found := QUEUES.search(" ".join(map(str, service.get("command", [])))))
}
each_stack = pytest.mark.parametrize("workers", [WORKER_QUEUES, COMPOSED], ids=["make", "compose"])


@each_stack
def test_every_queue_is_taken_from_by_one_worker(workers: dict[str, str]) -> None:
    taken = [queue for queues in workers.values() for queue in queues.split(",")]
    assert sorted(taken) == sorted(LIMITS)


@each_stack
def test_whom_a_task_waits_for_holds_up_no_other(workers: dict[str, str]) -> None:
    """Two queues have processes in common only if the tasks of neither wait for anybody."""
    shared = [set(queues.split(",")) for queues in workers.values() if "," in queues]
    assert shared == [{SWEEP, DEFAULT}]


def test_both_stacks_share_the_queues_out_alike() -> None:
    assert sorted(COMPOSED.values()) == sorted(WORKER_QUEUES.values())


def test_each_worker_of_the_composed_cluster_is_watched_and_renewed() -> None:
    assert targets.SERVICES["celery"].keys() == COMPOSED.keys()
    assert set(rolling.WORKERS) >= COMPOSED.keys()


@pytest.mark.parametrize("name", ["core.sweep_outbox", "webhooks.deliver_due"])
def test_the_sweeps_have_a_queue_that_nobody_else_fills(name: str) -> None:
    assert queue_of(name) == SWEEP
    assert name in {entry["task"] for entry in BEAT_SCHEDULE.values()}
    others = {task for task in current_app.tasks if queue_of(task) == SWEEP}
    assert others == {"core.sweep_outbox", "webhooks.deliver_due"}
