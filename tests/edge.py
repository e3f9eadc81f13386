"""A front server with this repository's configuration, before app servers that a test makes.

Everything runs on ports of its own and ends with the test; no stack is needed.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from db.local import software
from db.local.nginx import render

ROOT = Path(__file__).resolve().parents[1]
CONFIGURATION = ROOT / "haproxy/haproxy.cfg"
STARTS_WITHIN = 15.0  # seconds
DEADLY = {"/api/orders/", "/api/cart/items/", "/api/wishlist/items/"}  # an `App` dies of these


class Asked(NamedTuple):
    """A request as an app server saw it."""

    method: str
    path: str
    headers: dict[str, list[str]]


class App(ThreadingHTTPServer):
    """A stand-in for an app server: it answers at once, says what it was asked, and counts.

    Below /api/held/ it answers when `release` is set; below /api/gone/ it dies without an answer.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, name: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.name = name
        self.asked: list[Asked] = []
        self.release = threading.Event()
        self.headers: dict[str, str] = {}
        self.status = 200
        self.body: bytes | None = None  # instead of what it was asked
        threading.Thread(target=self.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server_port}"

    def handle_error(self, *_: Any) -> None:
        """Say nothing: a health check hangs up when it has seen the status."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: App

    def do_GET(self) -> None:
        if self.path == "/health/ready":
            return self._ready()
        self._read_body()
        names = {name.lower() for name in self.headers}
        headers = {name: self.headers.get_all(name) or [] for name in names}
        self.server.asked.append(Asked(self.command, self.path, headers))
        if self.path.startswith("/api/held/"):
            self.server.release.wait(30)
        if self.path.startswith("/api/gone/") or self.path in DEADLY:
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
            return None
        return self._answer({"server": self.server.name, "number": len(self.server.asked)})

    do_POST = do_HEAD = do_GET  # noqa: N815 - the names that http.server looks for

    def _read_body(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _ready(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _answer(self, body: dict[str, Any]) -> None:
        content = self.server.body or json.dumps(body).encode()
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(content)))
        for name, value in {"Content-Type": "application/json", **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, *args: Any) -> None:
        pass


@dataclass
class Edge:
    """A running front server."""

    process: subprocess.Popen[bytes]
    log: Path
    http_port: int
    https_port: int
    stats_port: int = 0
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def https(self) -> str:
        return f"https://127.0.0.1:{self.https_port}"

    def lines(self) -> list[dict[str, Any]]:
        """Return the requests of its log."""
        return [json.loads(line) for line in self.log.read_text().splitlines() if line[:1] == "{"]

    def ask(self, command: str) -> str:
        """Send a command to HAProxy's runtime socket and return the answer."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            connection.connect(self.variables["RUNTIME_SOCKET"])
            connection.sendall(f"{command}\n".encode())
            return b"".join(iter(lambda: connection.recv(65536), b"")).decode()


def free_ports(count: int) -> list[int]:
    """Return ports on which nobody listens now."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


@contextlib.contextmanager
def haproxy(directory: Path, servers: list[str], **variables: str) -> Iterator[Edge]:
    """Run HAProxy before two app servers, with these variables of haproxy.cfg."""
    if shutil.which("haproxy", path=software.SEARCH_PATH) is None:
        pytest.skip("haproxy is not installed; `make install` installs it")
    http, https, stats = free_ports(3)
    known = {
        "PATH": os.environ["PATH"],
        "HTTP_BIND": f"127.0.0.1:{http}",
        "HTTPS_BIND": f"127.0.0.1:{https}",
        "HTTPS_SUFFIX": f":{https}",
        "STATS_BIND": f"127.0.0.1:{stats}",
        "RUNTIME_SOCKET": str(directory / "cli"),
        "APP1": servers[0],
        "APP2": servers[-1],
        "LOG_REQUESTS": "on",
        **variables,
    }
    log = directory / "haproxy.log"
    command = [software.find("haproxy"), "-W", "-db", "-f", str(CONFIGURATION)]
    with (
        log.open("wb") as output,
        subprocess.Popen(
            command, env=known, stdout=output, stderr=subprocess.STDOUT, cwd="/"
        ) as process,
    ):
        edge = Edge(process, log, http, https, stats, known)
        try:
            wait_until(lambda: _answers(f"http://127.0.0.1:{stats}/metrics"), log)
            yield edge
        finally:
            process.terminate()
            process.wait(timeout=10)


@contextlib.contextmanager
def nginx(servers: list[str], **values: str) -> Iterator[Edge]:
    """Run nginx before two app servers, with these values of nginx.conf."""
    if shutil.which("nginx", path=software.SEARCH_PATH) is None:
        pytest.skip("nginx is not installed; db/local/install-packages.sh --tests installs it")
    http, stats = free_ports(2)
    known = {
        "HTTP_BIND": f"127.0.0.1:{http}",
        "STATS_BIND": f"127.0.0.1:{stats}",
        "APP1": servers[0],
        "APP2": servers[-1],
    }
    # Its workers are no root: the directory has to be open to them, unlike pytest's own.
    with tempfile.TemporaryDirectory(prefix="nginx-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        errors = shutil.copytree(CONFIGURATION.parent / "errors", directory / "errors")
        conf, log = directory / "nginx.conf", directory / "nginx.log"
        conf.write_text(render(known | {"ERRORS": str(errors)} | values))
        command = [software.find("nginx"), "-p", name, "-c", str(conf), "-e", "stderr"]
        with (
            log.open("wb") as output,
            subprocess.Popen(
                [*command, "-g", "daemon off;"], stdout=output, stderr=subprocess.STDOUT, cwd="/"
            ) as process,
        ):
            try:
                wait_until(lambda: _answers(f"http://127.0.0.1:{stats}/"), log)
                yield Edge(process, log, http, 0, stats, known)
            finally:
                process.terminate()
                process.wait(timeout=10)


def wait_until(condition: Callable[[], bool], log: Path, *, seconds: float = STARTS_WITHIN) -> None:
    """Wait until something is so; fail with the end of the log when it does not come to be."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, log.read_text()[-2000:]
        time.sleep(0.05)


def certificate(directory: Path) -> Path:
    """Make a certificate for 127.0.0.1, signed by itself, with its key in one file."""
    key, signed = directory / "key.pem", directory / "certificate.pem"
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    request = f"req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext {names}"
    files = ["-keyout", str(key), "-out", str(signed)]
    command = [software.find("openssl"), *request.split(), *files]
    subprocess.run(command, check=True, capture_output=True)
    both = directory / "tls.pem"
    both.write_text(signed.read_text() + key.read_text())
    return both


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(url, timeout=1).status_code < 500
    return False
