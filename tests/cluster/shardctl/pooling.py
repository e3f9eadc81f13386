"""A PgBouncer of one server session in front of a throwaway server."""

from __future__ import annotations

import contextlib
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from tests.throwaway import HOST, USER, Server


@contextlib.contextmanager
def pgbouncer(server: Server, home: Path, *, mode: str) -> Iterator[int]:
    """Start it; yields the port where it listens."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
    config = home / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={HOST} port={server.port} user={USER}\n[pgbouncer]\n"
        f"listen_addr = {HOST}\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        f"pool_mode = {mode}\ndefault_pool_size = 1\n"
    )
    for path in (config, home, *home.parents[:2]):
        path.chmod(0o755)
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin") or "pgbouncer"
    account = server.account
    process = subprocess.Popen(
        [program, "-q", config],
        user=account.uid if account.is_other else None,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port)
        yield port
    finally:
        process.kill()
        process.wait()


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 10
    while True:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port)):
            return
        assert time.monotonic() < deadline, "PgBouncer does not start"
        time.sleep(0.05)
