"""The throwaway cluster itself: nothing of it is left, however its test ends."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests import throwaway

SCRIPT = """
import os, signal
from tests import throwaway
with throwaway.cluster(workers=1, schema=False) as made:
    print(made.coordinator.data.parent, *(s.process.pid for s in made.servers), flush=True)
    os.kill(os.getpid(), signal.SIGKILL)
"""


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_processes_and_data_are_gone_afterwards() -> None:
    with throwaway.cluster(workers=1, spare=1, schema=False) as made:
        pids = [server.process.pid for server in made.servers if server.process]
        data = made.coordinator.data
        assert len(pids) == 3
    assert not any(is_running(pid) for pid in pids)
    assert not data.parent.exists()


def test_the_servers_end_with_a_test_run_that_is_killed() -> None:
    throwaway.with_citus()
    answer = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False
    )
    base, *words = answer.stdout.split()
    pids = [int(word) for word in words]
    assert len(pids) == 2
    while any(is_running(pid) for pid in pids):
        time.sleep(0.05)
    shutil.rmtree(base)


def test_a_killed_node_comes_back_with_its_rows() -> None:
    with throwaway.cluster(workers=1) as made:
        made.worker(1).kill()
        made.worker(1).start()
        assert made.value("SELECT count(*) FROM orders") == 1000
