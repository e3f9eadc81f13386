"""HAProxy while it runs: asked and told over its runtime socket, and reloaded without a pause.

https://docs.haproxy.org/2.6/management.html#9.3 has the commands.
"""

from __future__ import annotations

import csv
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass

from db.local import configuration, software
from db.local.errors import StackError
from db.local.layout import Layout
from db.local.programs import digest_of

BACKEND = "app"
RELOADED_WITHIN = 20.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Server:
    """An app server as HAProxy sees it.

    `sessions` are the requests that it works on; `weight` grows to `full_weight` in its slow start.
    """

    name: str
    status: str
    sessions: int
    weight: int

    @property
    def is_up(self) -> bool:
        """Whether requests are sent there."""
        return self.status.startswith("UP")


def ask(layout: Layout, command: str) -> str:
    """Send one command to the runtime socket and return the answer; OSError when nobody listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(str(layout.haproxy_socket))
        connection.sendall(f"{command}\n".encode())
        parts = iter(lambda: connection.recv(65536), b"")
        return b"".join(parts).decode().strip()


def servers(layout: Layout) -> dict[str, Server]:
    """Return the app servers by name."""
    table = ask(layout, f"show stat {BACKEND} 4 -1").lstrip("# ")
    return {
        row["svname"]: Server(
            name=row["svname"],
            status=row["status"],
            sessions=int(row["scur"]) + int(row["qcur"]),
            weight=int(row["weight"]),
        )
        for row in csv.DictReader(table.splitlines())
    }


def set_state(layout: Layout, server: str, state: str) -> None:
    """Bring a server to `ready`, `drain` (nothing new is sent there) or `maint`."""
    if answer := ask(layout, f"set server {BACKEND}/{server} state {state}"):
        raise StackError(f"HAProxy does not set {server} to {state}: {answer}")


def answers(layout: Layout) -> bool:
    """Whether HAProxy can be asked."""
    try:
        return bool(process_id(layout))
    except OSError:
        return False


def process_id(layout: Layout) -> int:
    """Return the id of the process that takes new connections; each reload makes a new one."""
    lines = (line.partition(": ") for line in ask(layout, "show info").splitlines())
    return int({name: value for name, _, value in lines}.get("Pid", "0"))


def is_outdated(layout: Layout) -> bool:
    """Whether the configuration has changed since it was loaded."""
    loaded = layout.haproxy_loaded
    return not loaded.exists() or loaded.read_text() != configuration_digest(layout)


def note_loaded(layout: Layout) -> None:
    """Remember that HAProxy runs with the configuration of this moment."""
    layout.haproxy_loaded.write_text(configuration_digest(layout))


def configuration_digest(layout: Layout) -> str:
    """Return a digest of all that HAProxy reads when it starts."""
    directory = configuration.haproxy_path(layout).parent
    return digest_of(sorted(path for path in directory.rglob("*") if path.is_file()))


def reload(layout: Layout, master: int) -> None:
    """Let a new process take the listening sockets over; the old one ends what it has begun.

    StackError, with HAProxy going on as it was, when the configuration has a mistake.
    """
    check(layout)
    before = process_id(layout)
    os.kill(master, signal.SIGUSR2)

    def is_new() -> bool:
        try:
            return process_id(layout) not in {0, before}
        except OSError:
            return False

    if not wait_until(is_new, seconds=RELOADED_WITHIN):
        raise StackError(
            "HAProxy did not take its new configuration and goes on with the old one;"
            f" {layout.log_of('haproxy')} says why."
        )
    note_loaded(layout)


def check(layout: Layout) -> None:
    """Raise StackError when HAProxy itself finds a mistake in its configuration."""
    command = [software.find("haproxy"), "-c", *configuration.haproxy_options(layout)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    if done.returncode:
        reasons = "\n".join(f"    {line}" for line in done.stderr.splitlines() if "ALERT" in line)
        raise StackError(f"HAProxy refuses its configuration and goes on as it was:\n{reasons}")


def wait_until(condition: Callable[[], bool], *, seconds: float, pause: float = 0.1) -> bool:
    """Wait until something is so; tell whether it came to be."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
