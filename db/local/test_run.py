"""`make test`: pytest on a stack of its own, which is new for each run and gone afterwards."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from types import FrameType

from db.local import layout as layouts
from db.local import test_parts, up
from db.local.down import clean, down
from db.local.phases import Stack, clean_environment
from db.local.settings import TEST_STACK
from db.local.test_parts import Part

# What a shell says of a program ended by Ctrl-C.
INTERRUPTED = 130

NO_CITUS = """
************************************************************************
*  The Citus extension is not installed (or CITUS=off): tests/cluster  *
*  is skipped and NOTHING about sharding is tested in this run.        *
************************************************************************
"""


def run(environ: Mapping[str, str], arguments: Sequence[str]) -> int:
    """Run pytest against a fresh stack and return its exit status.

    The stack is taken down whatever happens; its logs stay in .run/test/log after a failure.
    """
    status = 1
    clean(TEST_STACK)
    try:
        with _signals_as_interrupt():
            stack = up.up({"SPARES": "1", **environ}, stack=TEST_STACK)
            if not stack.settings.citus:
                print(NO_CITUS, flush=True)
            status = _pytest(stack, arguments)
            if not stack.settings.citus:
                print(NO_CITUS, flush=True)
    except KeyboardInterrupt:
        print("Interrupted: taking the test stack down.", flush=True)
        status = INTERRUPTED
    finally:
        with _signals_ignored():
            _take_down(keep_logs=status != 0)
    return status


def _pytest(stack: Stack, arguments: Sequence[str]) -> int:
    """Run what is asked for, or everything in its parts; return the exit status."""
    checkout = stack.layout.checkout

    def start(part: Part) -> subprocess.Popen[bytes]:
        own = {"SHARDMART_ENV_FILE": str(stack.layout.env), "TEST_DATABASE_NAME": part.database}
        with part.log.open("wb") if part.log else contextlib.nullcontext() as output:
            return subprocess.Popen(
                [checkout / ".venv/bin/pytest", *arguments, *part.paths],
                cwd=checkout,
                env=clean_environment() | own,
                stdout=output,
                stderr=output,
            )

    if arguments:
        [status] = test_parts.run([Part(())], start)
        return status
    rounds = [test_parts.side_by_side(stack.layout.log), [test_parts.the_rest(checkout / "tests")]]
    statuses: dict[Part, int] = {}
    for parts in rounds:
        statuses |= zip(parts, test_parts.run(parts, start), strict=True)
    print("\n".join(_verdict(part.name, status) for part, status in statuses.items()), flush=True)
    return next(filter(None, statuses.values()), 0)


def _verdict(name: str, status: int) -> str:
    return f"{name}: {'passed' if status == 0 else f'FAILED, pytest ended with {status}'}"


def _take_down(*, keep_logs: bool) -> None:
    down(TEST_STACK)
    layout = layouts.find(TEST_STACK)
    if not keep_logs or not layout.log.is_dir():
        layouts.remove(layout)
        return
    for entry in layout.base.iterdir():
        if entry == layout.log:
            continue
        shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    print(f"The servers' logs of this run are in {layout.link / 'log'}.", flush=True)


@contextlib.contextmanager
def _signals_as_interrupt() -> Iterator[None]:
    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handled(interrupt):
        yield


@contextlib.contextmanager
def _signals_ignored() -> Iterator[None]:
    # An impatient second Ctrl-C must not leave servers running.
    with _handled(signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _handled(handler: signal._HANDLER) -> Iterator[None]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
