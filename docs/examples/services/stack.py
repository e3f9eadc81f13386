"""The two services on this machine: databases made and removed, processes started and killed."""

import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from secrets import token_hex
from typing import Any, TypeVar

import httpx
import psycopg2
from psycopg2.extensions import make_dsn

from docs.examples.services import events, orders, products
from docs.examples.services.store import Database

T = TypeVar("T")
ROOT = Path(__file__).resolve().parents[3]


def until(what: str, is_so: Callable[[], T], *, seconds: float = 60) -> T:
    """Wait for something that is true, and return it; TimeoutError says what did not come."""
    deadline = time.monotonic() + seconds
    while not (found := is_so()):
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited for {seconds} s: {what}.")
        time.sleep(0.02)
    return found


class Service:
    """One service: its process, its database, the stream of its events, its address."""

    def __init__(self, name: str, port: int, url: str, environ: dict[str, str], logs: Path) -> None:
        self.name, self.database = name, Database(url)
        self.stream = environ[f"{name.upper()}_STREAM"]
        self._log = logs / f"{name}.log"
        self.url = f"http://127.0.0.1:{port}"
        self.http = httpx.Client(base_url=self.url, timeout=30)
        self.environ = {**os.environ, **environ, "DATABASE": url}
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process: gunicorn with one worker of four threads; return when it answers."""
        if self._process and self._process.poll() is None:
            raise RuntimeError(f"{self.name} runs already.")
        command = [sys.executable, "-m", "gunicorn", "--threads=4", "--log-level=warning"]
        command += [f"--bind={self.url.removeprefix('http://')}", "--no-control-socket"]
        command += ["--keep-alive=60"]  # as clients keep it for less, none asks a closed one
        with self._log.open("ab") as log:
            process = self._process = subprocess.Popen(
                [*command, f"docs.examples.services.{self.name}:serve()"],
                env=self.environ,
                cwd=ROOT,
                stderr=log,
                start_new_session=True,
            )
        until(f"{self.name} answers", lambda: process.poll() is not None or self._is_ready())
        if process.poll() is not None:
            raise RuntimeError(f"{self.name} did not start:\n{self.said()}")

    def kill(self) -> None:
        """Kill the process as a power cut would: nothing is ended, nothing is said."""
        if self._process and self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def end(self) -> None:
        """End the process, and close what was opened here."""
        self.kill()
        self.database.close()
        self.http.close()

    def said(self) -> str:
        """Return what the process complained of."""
        return self._log.read_text() if self._log.exists() else ""

    def _is_ready(self) -> bool:
        try:
            return self.http.get("/health").is_success
        except httpx.TransportError:
            return False


@dataclass
class Stack:
    """Both services, and the Redis between them."""

    products: Service
    orders: Service
    redis: Any

    @property
    def streams(self) -> list[str]:
        """Where each of them tells what happened."""
        return [self.products.stream, self.orders.stream]

    def is_all_heard(self) -> bool:
        """Tell whether every event was sent, handled, and acknowledged."""
        unsent = "SELECT 1 FROM outbox WHERE sent_at IS NULL"
        if any(service.database.rows(unsent) for service in (self.products, self.orders)):
            return False
        groups = [self.redis.xinfo_groups(stream) for stream in self.streams]
        return all(g and g[0]["lag"] == 0 and g[0]["pending"] == 0 for g in groups)


@contextmanager
def stack(admin_url: str, redis_url: str) -> Iterator[Stack]:
    """Make databases for both services; end and remove all that was made, whatever happens.

    Args:
        admin_url: a PostgreSQL database, of a role that may make others beside it.
        redis_url: a Redis of version 7 or newer; two streams in it are used.
    """
    run, redis = token_hex(4), events.connect(redis_url)
    names = {name: f"example_{name}_{run}" for name in ("products", "orders")}
    urls = {name: make_dsn(admin_url, dbname=database) for name, database in names.items()}
    environ = {"REDIS_URL": redis_url} | {
        f"{name.upper()}_STREAM": f"{database}:events" for name, database in names.items()
    }
    logs = Path(tempfile.mkdtemp(prefix="services-"))
    both = [
        Service(name, port, urls[name], environ, logs)
        for name, port in zip(names, _free_ports(len(names)), strict=True)
    ]
    both[1].environ["PRODUCTS_URL"] = both[0].url
    made = Stack(both[0], both[1], redis)
    try:
        redis.ping()
        _administer(admin_url, *(f"CREATE DATABASE {database}" for database in names.values()))
        for service, tables in zip(both, (products.TABLES, orders.TABLES), strict=True):
            service.database.run(events.TABLES + tables)
        yield made
    except Exception:
        sys.stderr.write(both[0].said() + both[1].said())
        raise
    finally:
        for service in both:
            service.end()
        shutil.rmtree(logs)
        drop = "DROP DATABASE IF EXISTS {} WITH (FORCE)"
        _administer(admin_url, *(drop.format(database) for database in names.values()))
        redis.delete(*made.streams)
        redis.close()


def _administer(url: str, *statements: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True
    with closing(connection), connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _free_ports(count: int) -> set[int]:
    """Return ports below those that Linux gives to clients: they are free after a restart too."""
    found: set[int] = set()
    while len(found) < count:
        port = random.randrange(20_000, 32_000)  # noqa: S311 - no secret
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                found.add(port)
    return found
