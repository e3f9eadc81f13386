"""Finding and ending what a killed supervisord left behind."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.local import processes
from db.local.postgres import remove_stale_lock
from db.local.programs import MARK

STUBBORN = (
    "import signal, time; signal.signal(2, signal.SIG_DFL); print('up', flush=True); time.sleep(60)"
)


@pytest.fixture
def orphan(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(
        [sys.executable, "-c", STUBBORN],
        env={**os.environ, MARK: str(tmp_path)},
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout
        process.stdout.readline()
        yield process
        process.kill()


def test_a_marked_process_is_found_and_ended(
    tmp_path: Path, orphan: subprocess.Popen[bytes]
) -> None:
    assert processes.left_behind(tmp_path) == [orphan.pid]
    assert processes.end_left_behind(tmp_path) == 1
    assert not processes.is_alive(orphan.pid)


def test_the_processes_of_another_stack_are_left_alone(
    tmp_path: Path, orphan: subprocess.Popen[bytes]
) -> None:
    # One name is the beginning of the other.
    assert processes.end_left_behind(Path(str(tmp_path)[:-1])) == 0
    assert processes.is_alive(orphan.pid)


def test_a_lock_whose_process_is_somebody_else_is_removed(tmp_path: Path) -> None:
    (tmp_path / "postmaster.pid").write_text(f"{os.getpid()}\n/data\n")
    assert remove_stale_lock(tmp_path)
    assert not (tmp_path / "postmaster.pid").exists()


def test_a_lock_is_kept_while_a_server_works_in_the_directory(tmp_path: Path) -> None:
    with subprocess.Popen(["sleep", "60"], cwd=tmp_path) as server:
        (tmp_path / "postmaster.pid").write_text(f"{server.pid}\n")
        assert not remove_stale_lock(tmp_path)
        assert (tmp_path / "postmaster.pid").exists()
        server.kill()


def test_no_lock_is_no_trouble(tmp_path: Path) -> None:
    assert not remove_stale_lock(tmp_path)
