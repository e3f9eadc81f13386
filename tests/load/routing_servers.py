"""The servers of `tests.load.routing`: what they are set to, and a PgBouncer in front of each."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.throwaway import HOST, Server

# As db/postgresql has them, where it matters here.
SETTINGS = {
    "shared_buffers": "'64MB'",
    "max_connections": "200",
    "max_prepared_transactions": "200",
    "random_page_cost": "1.1",
    "jit": "off",
    "max_parallel_workers_per_gather": "0",
    "ssl": "off",
    "citus.node_conninfo": "'sslmode=disable'",
    "citus.enable_stat_counters": "on",
}
CONFIG = """\
[databases]
* = host={host} port={port} user=postgres
[pgbouncer]
listen_addr = {host}
listen_port = {pool_port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 20
max_client_conn = 200
log_connections = 0
log_disconnections = 0
"""


@contextlib.contextmanager
def pooled(servers: list[Server]) -> Iterator[int]:
    """Put a PgBouncer in front of each server; yields how far its port is from the server's."""
    offset = _free_offset([server.port for server in servers])
    program = shutil.which("pgbouncer", path="/usr/sbin:/usr/bin")
    assert program is not None
    account = servers[0].account
    home = Path(tempfile.mkdtemp(prefix="poolers-"))
    home.chmod(0o755)
    started: list[subprocess.Popen[bytes]] = []
    try:
        for server in servers:
            config = home / f"{server.name}.ini"
            pool_port = server.port + offset
            config.write_text(CONFIG.format(host=HOST, port=server.port, pool_port=pool_port))
            uid = account.uid if account.is_other else None
            quiet = subprocess.DEVNULL
            started.append(subprocess.Popen([program, "-q", config], user=uid, stderr=quiet))
            _wait_for(pool_port)
        yield offset
    finally:
        for process in started:
            process.kill()
            process.wait()
        shutil.rmtree(home, ignore_errors=True)


def _free_offset(ports: list[int]) -> int:
    for offset in range(40, 4000, 40):
        if all(_is_free(port + offset) for port in ports):
            return offset
    raise RuntimeError("no ports are free for the poolers")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((HOST, port)) != 0


def _wait_for(port: int) -> None:
    for _ in range(200):
        if not _is_free(port):
            return
        time.sleep(0.05)
    raise RuntimeError(f"nothing listens on {port}")
