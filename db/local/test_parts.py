"""The parts of a whole test run: which go side by side, and which want the stack for themselves.

Most tests ask a database of their own, or no program of the stack at all: two such parts share the
machine, each with its own test database. The others stop, kill, load and watch the programs of the
stack, so they come afterwards, alone.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

# The first is shown while it runs, the other when it has ended.
SIDE_BY_SIDE = (("integration",), ("architecture", "cluster", "unit"))
ENDS_WITHIN = 10.0  # seconds after Ctrl-C


class Part(NamedTuple):
    """Some directories of tests; `log` is where pytest writes, None for the terminal."""

    directories: tuple[str, ...]
    log: Path | None = None

    @property
    def name(self) -> str:
        return " ".join(self.paths)

    @property
    def database(self) -> str:
        """The name of its test database."""
        return f"test_shardmart_{self.directories[0]}" if self.directories else "test_shardmart"

    @property
    def paths(self) -> list[str]:
        return [f"tests/{directory}" for directory in self.directories]


Start = Callable[[Part], "subprocess.Popen[bytes]"]


def side_by_side(logs: Path) -> list[Part]:
    """Return the parts that may run at the same time; all but the first write a log there."""
    first, *others = SIDE_BY_SIDE
    return [Part(first), *(Part(some, logs / f"tests-{some[0]}.log") for some in others)]


def the_rest(tests: Path) -> Part:
    """Return the part with every other directory that has tests."""
    taken = {directory for some in SIDE_BY_SIDE for directory in some}
    found = {path.relative_to(tests).parts[0] for path in tests.glob("*/**/test_*.py")}
    return Part(tuple(sorted(found - taken)))


def run(parts: Sequence[Part], start: Start) -> list[int]:
    """Run parts at the same time; return pytest's exit statuses when all have ended."""
    processes = [start(part) for part in parts]
    try:
        statuses = [process.wait() for process in processes]
    except KeyboardInterrupt:
        # Ctrl-C reached pytest as well; a signal sent to us alone did not.
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=ENDS_WITHIN)
            process.kill()
        raise
    finally:
        for part in parts:
            if part.log and part.log.exists():
                print(f"\n{part.name}, at the same time:\n{part.log.read_text()}", flush=True)
    return statuses
