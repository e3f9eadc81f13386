"""The stack's HAProxy while it runs: asked, told, and reloaded without a pause."""

from __future__ import annotations

import os
import signal
import subprocess

from db.balancer import draining, runtime
from db.balancer.runtime import BalancerError, Server, wait_until
from db.local import configuration, software
from db.local.errors import StackError
from db.local.layout import Layout
from db.local.programs import digest_of

__all__ = ["Server", "wait_until"]  # also used from here

RELOADED_WITHIN = 20.0  # seconds


def ask(layout: Layout, command: str) -> str:
    """Send one command and return the answer; OSError when nobody listens."""
    return runtime.ask(layout.haproxy_socket, command)


def servers(layout: Layout) -> dict[str, Server]:
    """Return the app servers by name; OSError when HAProxy does not run."""
    return runtime.servers(layout.haproxy_socket)


def set_state(layout: Layout, server: str, state: str) -> None:
    """Bring a server to `ready`, `drain` (nothing new is sent there) or `maint`."""
    try:
        runtime.set_state(layout.haproxy_socket, server, state)
    except BalancerError as error:
        raise StackError(str(error)) from None


def give_back(layout: Layout, server: str) -> None:
    """Let a drained server take requests again."""
    try:
        draining.give_back(layout.haproxy_socket, server)
    except BalancerError as error:
        raise StackError(str(error)) from None


def answers(layout: Layout) -> bool:
    """Whether HAProxy can be asked."""
    try:
        return bool(process_id(layout))
    except OSError:
        return False


def process_id(layout: Layout) -> int:
    """Return the id of the process that takes new connections; each reload makes a new one."""
    return runtime.process_id(layout.haproxy_socket)


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
