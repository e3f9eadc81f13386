"""One PostgreSQL server of a throwaway cluster: started, stopped, killed, frozen."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extras import NamedTupleCursor

from db.local.account import Account

HOST = "127.0.0.1"
USER = "postgres"
DATABASE = "postgres"


@dataclass(kw_only=True)
class Server:
    """One PostgreSQL with Citus."""

    name: str
    data: Path
    port: int
    bindir: Path
    account: Account
    settings: dict[str, str]
    process: subprocess.Popen[bytes] | None = None

    @property
    def dsn(self) -> str:
        """The node, as superuser."""
        return self.dsn_of(DATABASE)

    def dsn_of(self, database: str) -> str:
        """Another database of the node; they have no Citus."""
        return f"postgresql://{USER}@{HOST}:{self.port}/{database}"

    @property
    def address(self) -> str:
        """host:port, as shardctl names it."""
        return f"{HOST}:{self.port}"

    def launch(self) -> None:
        """Start the server without waiting for it."""
        config = [f"{name} = {value}\n" for name, value in self.settings.items()]
        (self.data / "throwaway.conf").write_text("".join([*config, f"port = {self.port}\n"]))
        (self.data / "throwaway.conf").chmod(0o644)
        with (self.data.parent / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.bindir / "postgres", "-D", self.data],
                stdout=log,
                stderr=log,
                cwd="/",
                user=self.account.uid if self.account.is_other else None,
                group=self.account.gid if self.account.is_other else None,
                extra_groups=[] if self.account.is_other else None,
                preexec_fn=_die_with_parent,  # noqa: PLW1509  (two system calls, no locks)
                start_new_session=True,
            )

    def wait(self, seconds: float = 30) -> None:
        """Wait until the server answers."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                self.sql("SELECT 1")
            except psycopg2.OperationalError:
                log = self.data.parent / f"{self.name}.log"
                ended = self.process is None or self.process.poll() is not None
                if ended or time.monotonic() > deadline:
                    raise RuntimeError(f"{self.name} does not start:\n{log.read_text()}") from None
                time.sleep(0.05)
            else:
                return

    def start(self, **settings: str) -> None:
        """Start the server, with changed settings if any are given, and wait for it."""
        self.settings.update(settings)
        self.launch()
        self.wait()

    def stop(self) -> None:
        """Stop it quickly and in order."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """Kill -9 all its processes: what a dead machine looks like to the others."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            for pid in self._children():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self.process.wait()
            self.process = None

    def restart(self, **settings: str) -> None:
        """Stop and start, e.g. `restart(wal_level="replica")`."""
        self.stop()
        self.start(**settings)

    def freeze(self) -> None:
        """Let it hang: connections are accepted by the kernel, and nobody answers."""
        for pid in self._all():
            os.kill(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        for pid in self._all():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def connect(self) -> Any:
        """Return a connection of psycopg2, autocommit."""
        connection = psycopg2.connect(
            self.dsn, connect_timeout=3, cursor_factory=NamedTupleCursor, application_name="test"
        )
        connection.autocommit = True
        return connection

    def sql(self, statement: str, parameters: list[object] | None = None) -> list[Any]:
        """Run SQL on this node, on a connection of its own, and return the rows."""
        with contextlib.closing(self.connect()) as connection, connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            return list(cursor.fetchall()) if cursor.description else []

    def value(self, statement: str, parameters: list[object] | None = None) -> Any:
        """Return the first column of the first row."""
        return self.sql(statement, parameters)[0][0]

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.thaw()
            self.process.send_signal(number)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()
        self.process = None

    def _all(self) -> list[int]:
        return [self.process.pid, *self._children()] if self.process else []

    def _children(self) -> list[int]:
        """The server's processes: each runs in a group of its own, so they are looked up."""
        assert self.process is not None
        found = []
        for path in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                if int(path.read_text().rpartition(")")[2].split()[1]) == self.process.pid:
                    found.append(int(path.parent.name))
        return found


def _die_with_parent() -> None:
    """In the new process: end (SIGQUIT is PostgreSQL's immediate shutdown) when ours ends."""
    set_parent_death_signal = 1
    ctypes.CDLL(None).prctl(set_parent_death_signal, signal.SIGQUIT)
