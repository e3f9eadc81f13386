"""One command at a time for each stack."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from db.local.errors import StackError


@contextlib.contextmanager
def held(checkout: Path, stack: str) -> Iterator[None]:
    """Hold the stack's lock; StackError when another command holds it.

    The kernel releases it when the holder ends, however that happens.
    """
    run = checkout / ".run"
    try:
        run.mkdir(exist_ok=True)
        descriptor = os.open(run / f".{stack}.lock", os.O_RDONLY | os.O_CREAT, 0o644)
    except PermissionError:
        raise StackError(f"{run} belongs to another user, probably root: use sudo.") from None
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StackError(
                f"Another make command is at work on the stack {stack}: wait until it has ended."
            ) from None
        yield
    finally:
        os.close(descriptor)
