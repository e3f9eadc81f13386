"""`make down` and `make clean`: stopping a stack, and removing it."""

from __future__ import annotations

import contextlib
import http.client

from db.local import layout as layouts
from db.local import processes
from db.local.errors import StackError
from db.local.layout import Layout
from db.local.supervisor import Supervisor

# Above the longest stop_seconds of a program.
PATIENCE = 75.0


def down(stack: str) -> bool:
    """Stop a stack and return whether anything ran. Its data stays."""
    layout = layouts.find(stack)
    stopped = _stop_supervisor(layout)
    left = processes.end_left_behind(layout.base)
    with contextlib.suppress(PermissionError):
        for stale in (layout.socket, layout.pidfile):
            stale.unlink(missing_ok=True)
    return stopped or left > 0


def clean(stack: str) -> None:
    """Stop a stack and remove everything it has."""
    down(stack)
    layouts.remove(layouts.find(stack))


def _stop_supervisor(layout: Layout) -> bool:
    supervisor = Supervisor(layout)
    if not supervisor.is_running():
        return False
    try:
        pid = supervisor.shutdown()
    except (OSError, http.client.HTTPException):
        return True
    if processes.wait_for_end([pid], seconds=PATIENCE):
        raise StackError(
            f"supervisord (process {pid}) does not end; {layout.log / 'supervisord.log'} says why."
        )
    return True
