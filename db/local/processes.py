"""Processes that outlived their supervisord, found by the mark in their environment."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from pathlib import Path

from db.local.programs import MARK


def left_behind(base: Path) -> list[int]:
    """Return the ids of running processes of the stack in `base`.

    Those are the ones that carry its mark, and a supervisord that is on its way out.
    """
    mark = f"{MARK}={base}".encode()
    conf = str(base / "conf" / "supervisord.conf").encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            is_supervisord = conf in words and any(w.endswith(b"/supervisord") for w in words)
            if is_supervisord or mark in (process / "environ").read_bytes().split(b"\0"):
                found.append(int(process.name))
    return sorted(found)


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that only waits to be collected does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def wait_for_end(pids: Iterable[int], *, seconds: float) -> list[int]:
    """Wait until the processes have ended; return those that have not."""
    deadline = time.monotonic() + seconds
    alive = [pid for pid in pids if is_alive(pid)]
    while alive and time.monotonic() < deadline:
        time.sleep(0.1)
        alive = [pid for pid in alive if is_alive(pid)]
    return alive


def end_left_behind(base: Path) -> int:
    """End what a killed supervisord left running; return how many processes that were.

    INT is PostgreSQL's fast shutdown and ends the others as well; who ignores it is killed,
    which PostgreSQL and Redis survive by their logs.
    """
    marked = left_behind(base)
    for number, patience in ((signal.SIGINT, 10), (signal.SIGTERM, 5), (signal.SIGKILL, 5)):
        remaining = left_behind(base)
        for pid in remaining:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if not wait_for_end(remaining, seconds=patience):
            break
    return len(marked)
