"""HAProxy asked and told over its runtime socket.

https://docs.haproxy.org/2.6/management.html#9.3 has the commands.
"""

from __future__ import annotations

import csv
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

BACKEND = "app"


class BalancerError(Exception):
    """HAProxy does not do what it was told, or must not be asked to; the text is one sentence."""


@dataclass(frozen=True, kw_only=True)
class Server:
    """An app server as HAProxy sees it.

    `sessions` are the requests that it works on; `weight` grows to its full in its slow start.
    """

    name: str
    status: str
    sessions: int
    weight: int

    @property
    def is_up(self) -> bool:
        """Whether requests are sent there, whatever its health is thought to be."""
        return self.status.startswith("UP") or self.status == "no check"


def ask(path: Path, command: str) -> str:
    """Send one command to the runtime socket and return the answer; OSError when nobody listens."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(10)
        connection.connect(str(path))
        connection.sendall(f"{command}\n".encode())
        parts = iter(lambda: connection.recv(65536), b"")
        return b"".join(parts).decode().strip()


def servers(path: Path) -> dict[str, Server]:
    """Return the app servers by name."""
    table = ask(path, f"show stat {BACKEND} 4 -1").lstrip("# ")
    return {
        row["svname"]: Server(
            name=row["svname"],
            status=row["status"],
            sessions=int(row["scur"]) + int(row["qcur"]),
            weight=int(row["weight"]),
        )
        for row in csv.DictReader(table.splitlines())
    }


def set_state(path: Path, server: str, state: str) -> None:
    """Bring a server to `ready`, `drain` (nothing new is sent there) or `maint`."""
    if answer := ask(path, f"set server {BACKEND}/{server} state {state}"):
        raise BalancerError(f"HAProxy does not set {server} to {state}: {answer}")


def set_checks(path: Path, server: str, verb: str) -> None:
    """Let HAProxy `enable` or `disable` a server's health checks; without them it counts as up."""
    if answer := ask(path, f"{verb} health {BACKEND}/{server}"):
        raise BalancerError(f"HAProxy does not {verb} the checks of {server}: {answer}")


def process_id(path: Path) -> int:
    """Return the id of the process that takes new connections; each reload makes a new one."""
    lines = (line.partition(": ") for line in ask(path, "show info").splitlines())
    return int({name: value for name, _, value in lines}.get("Pid", "0"))


def wait_until(condition: Callable[[], bool], *, seconds: float, pause: float = 0.1) -> bool:
    """Wait until something is so; tell whether it came to be."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True
