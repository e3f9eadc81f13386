"""Whether each server really answers: a query, a PING, an HTTP 200."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import psycopg2
from celery import Celery
from kombu.exceptions import KombuError

from db.cluster.roles import ADMIN, APP, DATABASE
from db.local.environment import HOST
from db.local.errors import ProgramFailed
from db.local.layout import Layout
from db.local.programs import WORKER_QUEUES, worker_address
from db.local.secrets_file import Secrets
from db.local.settings import APP_SERVERS, Node, Settings
from db.local.supervisor import Supervisor

# A program that has to be started more often than this will not come up by waiting.
MOST_STARTS = 4

BEAT_SILENCE = 30.0  # seconds


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A question to a program: `ask` returns None when it is healthy, else why it is not."""

    program: str
    ask: Callable[[], str | None]


def postgres(node: Node, secrets: Secrets) -> Probe:
    """The node answers a query of the superuser."""
    return _query(f"postgres-{node.name}", node.pg_port, ADMIN, secrets, "postgres")


def pgbouncer(node: Node, secrets: Secrets) -> Probe:
    """The application's role gets an answer through the pooler."""
    return _query(f"pgbouncer-{node.name}", node.pool_port, APP, secrets, DATABASE)


def redis(settings: Settings) -> list[Probe]:
    """Each Redis answers PING; while it loads its data it does not."""
    return [
        _redis("redis", settings.redis_port),
        _redis("redis-state", settings.state_redis_port),
    ]


def _redis(name: str, port: int) -> Probe:

    def ask() -> str | None:
        try:
            with socket.create_connection((HOST, port), timeout=2) as connection:
                connection.sendall(b"PING\r\n")
                answer = connection.recv(100).decode(errors="replace").strip()
        except OSError as error:
            return str(error)
        return None if answer == "+PONG" else answer

    return Probe(program=name, ask=ask)


def app_servers(settings: Settings) -> list[Probe]:
    """Each app server says that it is ready."""
    return [
        http_ok(f"app{number}", settings.app_port + number - 1)
        for number in range(1, APP_SERVERS + 1)
    ]


def gateway(settings: Settings) -> Probe:
    """The sandbox of a payment gateway answers."""
    return http_ok("gateway", settings.gateway_port)


def mail_catcher(settings: Settings) -> Probe:
    """The mail catcher greets."""

    def ask() -> str | None:
        try:
            with socket.create_connection((HOST, settings.smtp_port), timeout=2) as connection:
                answer = connection.recv(100).decode(errors="replace").strip()
        except OSError as error:
            return str(error)
        return None if answer.startswith("220") else answer or "it hangs up"

    return Probe(program="mail-catcher", ask=ask)


def workers(settings: Settings) -> list[Probe]:
    """Each worker answers, through the broker, that it takes tasks."""
    return [_worker(name, settings) for name in WORKER_QUEUES]


def _worker(name: str, settings: Settings) -> Probe:
    address = worker_address(name, settings)

    def ask() -> str | None:
        with Celery(broker=settings.broker, set_as_current=False) as app:
            app.conf.broker_connection_timeout = 2
            try:
                answers = app.control.ping(destination=[address], timeout=1, limit=1)
            except (KombuError, OSError) as error:
                return f"the broker cannot be asked: {error}"
        return None if answers else "it does not answer"

    return Probe(program=name, ask=ask)


def beat(layout: Layout) -> Probe:
    """Beat has noted lately what it started; the sweep of the outbox is every few seconds."""

    def ask() -> str | None:
        # Which suffix the file has is up to Python's dbm.
        files = [path for path in layout.base.glob("beat-schedule*") if path.suffix != ".lock"]
        if not files:
            return "it has not started anything yet"
        age = time.time() - max(path.stat().st_mtime for path in files)
        return None if age < BEAT_SILENCE else f"it has started nothing for {age:.0f} s"

    return Probe(program="beat", ask=ask)


def haproxy(settings: Settings) -> Probe:
    """A request through HAProxy reaches a ready app server."""
    return http_ok("haproxy", settings.http_port)


def everything(settings: Settings, secrets: Secrets, layout: Layout) -> list[Probe]:
    """Return the probes of all programs of a stack."""
    return [
        *(postgres(node, secrets) for node in settings.servers),
        *redis(settings),
        *(pgbouncer(node, secrets) for node in settings.servers),
        mail_catcher(settings),
        gateway(settings),
        *app_servers(settings),
        *workers(settings),
        beat(layout),
        haproxy(settings),
    ]


def verdicts(probes: Sequence[Probe]) -> dict[str, str]:
    """Ask all at once; return by program "ok", or why it is not."""
    with ThreadPoolExecutor(max_workers=len(probes)) as pool:
        answers = pool.map(lambda probe: probe.ask(), probes)
        return {
            probe.program: answer or "ok" for probe, answer in zip(probes, answers, strict=True)
        }


def wait(
    probes: Sequence[Probe], supervisor: Supervisor, layout: Layout, *, seconds: float = 60
) -> None:
    """Wait until every probe is content; ProgramFailed names the one that is not, with its log."""
    started = time.monotonic()
    pending = list(probes)
    reasons: dict[str, str] = {}
    pids: dict[str, set[int]] = {probe.program: set() for probe in probes}
    while True:
        pending = [probe for probe in pending if _unhappy(probe, reasons)]
        if not pending:
            return
        states = supervisor.states()
        for probe in pending:
            state = states[probe.program]
            pids[probe.program].add(state.pid)
            if state.state == "FATAL" or len(pids[probe.program] - {0}) > MOST_STARTS:
                _fail(probe, layout, "it ends again and again")
        if time.monotonic() - started > seconds:
            _fail(pending[0], layout, f"after {seconds:.0f} s: {reasons[pending[0].program]}")
        time.sleep(0.2)


def _unhappy(probe: Probe, reasons: dict[str, str]) -> bool:
    reason = probe.ask()
    if reason is not None:
        reasons[probe.program] = reason
    return reason is not None


def _fail(probe: Probe, layout: Layout, reason: str) -> None:
    raise ProgramFailed(name=probe.program, reason=reason, log=layout.log_of(probe.program))


def _query(program: str, port: int, role: str, secrets: Secrets, database: str) -> Probe:
    def ask() -> str | None:
        try:
            connection = psycopg2.connect(
                host=HOST,
                port=port,
                user=role,
                password=secrets.of(role),
                dbname=database,
                connect_timeout=3,
            )
        except psycopg2.Error as error:
            return " ".join(str(error).split())
        try:
            with connection, connection.cursor() as cursor:
                cursor.execute("SELECT 1")
        except psycopg2.Error as error:
            return " ".join(str(error).split())
        finally:
            connection.close()
        return None

    return Probe(program=program, ask=ask)


def http_ok(program: str, port: int, path: str = "/health/ready") -> Probe:
    """The program answers 200 at a path."""

    def ask() -> str | None:
        connection = http.client.HTTPConnection(HOST, port, timeout=5)
        try:
            connection.request("GET", path)
            status = connection.getresponse().status
        except (OSError, http.client.HTTPException) as error:
            return str(error) or type(error).__name__
        finally:
            connection.close()
        return None if status == 200 else f"GET {path} answers {status}"

    return Probe(program=program, ask=ask)
