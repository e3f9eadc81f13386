"""A running stack whose processes are killed; see tests/e2e for how it is reached."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from shop.config.environment import load
from tests.e2e.conftest import http, new_product, new_user, rows, sam, url
from tests.native import native

__all__ = ["http", "new_product", "new_user", "rows", "sam", "url"]


@pytest.fixture
@native("stops and kills programs of the local stack")
def run_dir(url: str) -> Path:
    """Where the stack keeps its things; skips a stack that is not on this machine."""
    directory = load().str("RUN_DIR", "")
    if not directory:
        pytest.skip(
            "the stack's processes are not ours to kill; `make test` has a stack of its own"
        )
    return Path(directory)


class Keeper:
    """The supervisor of the stack: it knows its own processes, and starts them again."""

    def __init__(self, run_dir: Path) -> None:
        self._command = [
            str(Path(sys.executable).parent / "supervisorctl"),
            "-c",
            str(run_dir / "conf/supervisord.conf"),
        ]

    def pids(self) -> dict[str, int]:
        """Return the process id of each program that runs."""
        found = {}
        for line in self.call("status").splitlines():
            words = line.replace(",", "").split()
            if words[1:2] == ["RUNNING"]:
                found[words[0]] = int(words[3])
        return found

    def kill(self, program: str) -> bool:
        """Kill a program -9 with all its children; tell whether it was running."""
        pid = self.pids().get(program, 0)
        if pid:
            os.killpg(os.getpgid(pid), signal.SIGKILL)
        return bool(pid)

    def call(self, *arguments: str) -> str:
        """Return what supervisorctl says; it fails when a program does not run."""
        finished = subprocess.run(
            [*self._command, *arguments], capture_output=True, text=True, timeout=60, check=False
        )
        return finished.stdout


@pytest.fixture
def keeper(run_dir: Path) -> Keeper:
    return Keeper(run_dir)


class Killer(threading.Thread):
    """Kills one program after the other, always in the same order, until it is stopped."""

    def __init__(self, keeper: Keeper, programs: list[str], *, seed: int, pause: float) -> None:
        super().__init__(daemon=True)
        self.killed: list[str] = []
        self._keeper = keeper
        self._programs = programs
        self._random = random.Random(seed)
        self._pause = pause
        self._stop_asked = threading.Event()

    def run(self) -> None:
        victims: list[str] = []
        while not self._stop_asked.wait(self._random.uniform(0.5, 1.5) * self._pause):
            if not victims:  # each of them once before one of them twice
                victims = self._random.sample(self._programs, len(self._programs))
            victim = victims.pop()
            if self._keeper.kill(victim):
                self.killed.append(victim)

    def __enter__(self) -> "Killer":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop_asked.set()
        self.join(timeout=60)


def wait_until(condition: Callable[[], bool], *, seconds: float) -> bool:
    """Wait until something is so; tell whether it came to be."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.5)
    return True
