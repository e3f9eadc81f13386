"""supervisord: its configuration, starting it, and asking it over its socket.

Invariant: supervisord starts nothing by itself (autostart=false); `make up` starts the programs in
order, each when what it needs is healthy. Once started, supervisord restarts what dies.
"""

from __future__ import annotations

import http.client
import os
import shlex
import socket
import subprocess
import time
import xmlrpc.client
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from db.local.account import Account
from db.local.errors import ProgramFailed, StackError
from db.local.layout import Layout
from db.local.programs import MARK, Program

# What a server needs of our environment; DATABASE_URL, PGHOST and the like must not leak in.
PASSED_ON = ("PATH", "HOME", "USER", "LANG", "SSL_CERT_FILE")


def configuration(programs: Iterable[Program], layout: Layout, account: Account) -> str:
    """Return supervisord.conf."""
    as_root = ["user=root"] if os.geteuid() == 0 else []
    head = [
        "[unix_http_server]",
        f"file={_escape(layout.socket)}",
        "chmod=0700",
        "[supervisord]",
        f"logfile={_escape(layout.log / 'supervisord.log')}",
        f"pidfile={_escape(layout.pidfile)}",
        f"childlogdir={_escape(layout.log)}",
        "logfile_maxbytes=5MB",
        "logfile_backups=1",
        "umask=022",
        *as_root,
        # So that `.venv/bin/supervisorctl -c <this file>` works by hand.
        "[supervisorctl]",
        f"serverurl=unix://{_escape(layout.socket)}",
        "[rpcinterface:supervisor]",
        "supervisor.rpcinterface_factory = supervisor.rpcinterface:make_main_rpcinterface",
    ]
    return "\n".join([*head, *(_section(p, layout, account) for p in programs)]) + "\n"


def _section(program: Program, layout: Layout, account: Account) -> str:
    # The digest stands in the environment: it is what makes supervisord see a changed program.
    environment = {
        **program.environment,
        MARK: str(layout.base),
        "SHARDMART_CONFIGURATION": program.digest,
    }
    pairs = ",".join(f'{key}="{_escape(value)}"' for key, value in environment.items())
    lines = [
        f"[program:{program.name}]",
        f"command={_escape(shlex.join(program.command))}",
        f"directory={_escape(program.directory)}",
        f"environment={pairs}",
        f"priority={program.priority}",
        "autostart=false",
        "autorestart=true",
        "startsecs=1",
        # What a killed server leaves behind (shared memory, a port) is gone within seconds; with
        # the growing pauses of supervisord this covers about three minutes.
        "startretries=20",
        f"stopsignal={program.stop_signal}",
        f"stopwaitsecs={program.stop_seconds}",
        # Only the last resort goes to the whole group: a clean stop is the parent's business.
        "killasgroup=true",
        "redirect_stderr=true",
        f"stdout_logfile={_escape(layout.log_of(program.name))}",
        "stdout_logfile_maxbytes=10MB",
        "stdout_logfile_backups=2",
    ]
    if program.as_service_account and account.is_other:
        lines.append(f"user={account.name}")
    return "\n".join(lines)


def _escape(value: object) -> str:
    # supervisord expands %(name)s.
    return str(value).replace("%", "%%")


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("localhost", timeout=90)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


class _SocketTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = _SocketConnection(self._path)
        self._connection = host, connection  # so that close() finds it
        return connection


@dataclass(frozen=True, kw_only=True)
class State:
    """What supervisord says of a program: RUNNING, BACKOFF, FATAL, STOPPED …"""

    name: str
    state: str
    description: str
    pid: int


class Supervisor:
    """The supervisord of one stack."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._rpc = xmlrpc.client.ServerProxy(
            "http://localhost", transport=_SocketTransport(layout.socket)
        )

    def is_running(self) -> bool:
        """Whether supervisord answers on its socket."""
        try:
            return bool(self._call("getState")["statecode"] == 1)
        except (OSError, http.client.HTTPException):
            return False

    def start(self) -> None:
        """Start supervisord in the background; it outlives us."""
        command = [
            str(self._layout.checkout / ".venv/bin/supervisord"),
            "-c",
            str(self._layout.conf / "supervisord.conf"),
        ]
        environment = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
        done = subprocess.run(
            command, cwd="/", env=environment, capture_output=True, text=True, check=False
        )
        deadline = time.monotonic() + 10
        while done.returncode == 0 and time.monotonic() < deadline:
            if self.is_running():
                return
            time.sleep(0.1)
        raise ProgramFailed(
            name="supervisord",
            reason=(done.stderr or done.stdout).strip() or "it does not answer on its socket",
            log=self._layout.log / "supervisord.log",
        )

    def shutdown(self) -> int:
        """Ask supervisord to stop everything and itself; return its process id."""
        pid = int(self._call("getPID"))
        self._call("shutdown")
        return pid

    def states(self) -> dict[str, State]:
        """Return every program that supervisord knows."""
        return {
            info["name"]: State(
                name=info["name"],
                state=info["statename"],
                description=info["spawnerr"] or info["description"],
                pid=info["pid"],
            )
            for info in self._call("getAllProcessInfo")
        }

    def reread(self) -> tuple[set[str], set[str], set[str]]:
        """Read supervisord.conf again; return the names added, changed and removed."""
        try:
            added, changed, removed = self._call("reloadConfig")[0]
        except xmlrpc.client.Fault as fault:
            raise StackError(
                f"supervisord refuses its configuration: {fault.faultString}."
            ) from None
        return set(added), set(changed), set(removed)

    def add(self, name: str) -> None:
        """Make a program of the configuration known."""
        self._call("addProcessGroup", name)

    def remove(self, name: str) -> None:
        """Stop a program and forget it."""
        self._call("stopProcessGroup", name)
        self._call("removeProcessGroup", name)

    def stop_program(self, name: str) -> None:
        """Stop a program and wait until it has ended; nothing happens when it does not run."""
        try:
            self._call("stopProcess", name)
        except xmlrpc.client.Fault as fault:
            if "NOT_RUNNING" not in fault.faultString:
                raise StackError(f"supervisord cannot stop {name}: {fault.faultString}.") from None

    def start_program(self, name: str) -> None:
        """Start a program without waiting; nothing happens when it runs."""
        try:
            self._call("startProcess", name, False)
        except xmlrpc.client.Fault as fault:
            if "ALREADY_STARTED" not in fault.faultString:
                raise StackError(f"supervisord cannot start {name}: {fault.faultString}.") from None

    def _call(self, method: str, *arguments: object) -> Any:
        try:
            return cast(Any, getattr(self._rpc.supervisor, method))(*arguments)
        finally:
            # A call that Ctrl-C cuts short would leave its answer to the next one.
            self._rpc("close")()
