"""The processes of a stack, as data: what runs, as whom, with which environment.

Invariant: a program whose configuration changed has another `digest`, so that supervisord restarts
exactly the programs that a second `make up` concerns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from db.local import configuration, monitoring_ports, software
from db.local.layout import Layout
from db.local.settings import APP_SERVERS, Node, Settings

# Every process of a stack carries this variable: what supervisord left behind is found by it.
MARK = "SHARDMART_SUPERVISED"

# Which queues each worker program takes from (shop.core.tasks): tasks that wait for others, or take
# long, share no process with those that do not.
WORKER_QUEUES = {
    "worker-critical": "critical",
    "worker": "sweep,default",
    "worker-mail": "mail",
    "worker-webhooks": "webhooks",
    "worker-maintenance": "maintenance",
}


@dataclass(frozen=True, kw_only=True)
class Program:
    """One supervised process.

    `priority` orders start and stop; `stop_signal` is what makes this kind of server stop at once
    but cleanly, within `stop_seconds`.
    """

    name: str
    command: tuple[str, ...]
    priority: int
    stop_signal: str = "TERM"
    stop_seconds: int = 20
    environment: dict[str, str] = field(default_factory=dict)
    as_service_account: bool = True
    directory: str = "/"
    digest: str = ""


def postgres(node: Node, layout: Layout, bindir: Path) -> Program:
    """A PostgreSQL server. INT is its fast shutdown: sessions are ended, data is flushed."""
    data = layout.node_data(node.name)
    return Program(
        name=f"postgres-{node.name}",
        command=(str(bindir / "postgres"), "-D", str(data)),
        priority=10,
        stop_signal="INT",
        stop_seconds=60,
        # With these the nodes log in to each other; no password stands in a catalog.
        environment={"PGPASSFILE": str(layout.pgpass), "LC_ALL": "C.UTF-8"},
        digest=digest_of([data / "postgresql.conf", data / "pg_hba.conf", layout.pgpass]),
    )


def redis(name: str, layout: Layout) -> Program:
    """A Redis: `redis` for the cache and the queues, `redis-state` for counters and sessions."""
    conf = layout.conf / f"{name}.conf"
    return Program(
        name=name,
        command=(software.find("redis-server"), str(conf)),
        priority=10,
        digest=digest_of([conf]),
    )


def pgbouncer(node: Node, layout: Layout) -> Program:
    """The pooler in front of a node. TERM ends it at once; INT would wait for every client."""
    conf = configuration.pgbouncer_path(node, layout)
    return Program(
        name=f"pgbouncer-{node.name}",
        command=(software.find("pgbouncer"), str(conf)),
        priority=20,
        digest=digest_of([conf, layout.conf / "userlist.txt"]),
    )


def app_server(number: int, settings: Settings, layout: Layout) -> Program:
    """A gunicorn with the Django application; TERM lets it finish its requests.

    It runs as whoever called make: the checkout may be closed to the servers' account.
    """
    root = layout.checkout
    return Program(
        name=f"app{number}",
        command=(
            str(root / ".venv/bin/gunicorn"),
            "--config",
            str(root / "db/local/gunicorn_conf.py"),
            "shop.config.wsgi:application",
        ),
        priority=30,
        stop_seconds=35,
        environment={
            **application_environment(layout),
            **figures_environment(f"app{number}", layout),
            "APP_BIND": f"127.0.0.1:{settings.app_port + number - 1}",
            "APP_WORKERS": str(settings.app_workers),
            "APP_THREADS": str(settings.app_threads),
        },
        as_service_account=False,
        directory=str(root),
        # New code restarts the app servers, one after the other.
        digest=code_digest(layout, root / "db/local/gunicorn_conf.py"),
    )


def workers(settings: Settings, layout: Layout) -> list[Program]:
    """The workers. Whom tasks wait for decides whose they are: no merchant holds up a mail.

    TERM lets a worker end what it is at; what it cannot end in time is done again by the next.
    """
    return [_worker(name, queues, settings, layout) for name, queues in WORKER_QUEUES.items()]


def _worker(name: str, queues: str, settings: Settings, layout: Layout) -> Program:
    return Program(
        name=name,
        command=(
            str(layout.checkout / ".venv/bin/celery"),
            "--app=shop.config.celery",
            "worker",
            f"--queues={queues}",
            f"--concurrency={settings.task_processes}",
            f"--hostname={worker_address(name, settings)}",
            "--loglevel=INFO",
            # What workers would tell each other; nothing here asks for it.
            "--without-gossip",
            "--without-mingle",
        ),
        priority=35,
        stop_seconds=50,
        environment={
            **application_environment(layout),
            **figures_environment(name, layout),
            "METRICS_BIND": f"127.0.0.1:{settings.metrics_port + monitoring_ports.WORKERS[name]}",
        },
        as_service_account=False,
        directory=str(layout.checkout),
        digest=code_digest(layout),
    )


def worker_address(name: str, settings: Settings) -> str:
    """Return the name by which a worker is asked how it is."""
    return f"{name}@{settings.stack}"


def beat(layout: Layout) -> Program:
    """Beat, which starts the periodic tasks; a second one refuses to run."""
    return Program(
        name="beat",
        command=(
            str(layout.checkout / ".venv/bin/celery"),
            "--app=shop.config.celery",
            "beat",
            "--loglevel=INFO",
        ),
        priority=36,
        environment={
            **application_environment(layout),
            "BEAT_SCHEDULE_FILE": str(layout.beat_schedule),
        },
        as_service_account=False,
        directory=str(layout.checkout),
        digest=code_digest(layout),
    )


def mail_catcher(settings: Settings, layout: Layout) -> Program:
    """The mail server that keeps every mail as a file."""
    root = layout.checkout
    return Program(
        name="mail-catcher",
        command=(
            str(root / ".venv/bin/python"),
            "-m",
            "db.local.mail_catcher",
            "serve",
            f"127.0.0.1:{settings.smtp_port}",
            str(layout.mail),
        ),
        priority=25,
        environment={"PYTHONPATH": str(root), "PYTHONUNBUFFERED": "1"},
        as_service_account=False,
        directory=str(root),
        digest=digest_of([root / "db/local/mail_catcher.py", root / ".venv/.requirements.sha256"]),
    )


def application_environment(layout: Layout) -> dict[str, str]:
    """Return what a process that runs the application has to know."""
    root = layout.checkout
    return {
        "PYTHONPATH": f"{root / 'src'}:{root}",
        "PYTHONUNBUFFERED": "1",
        "SHARDMART_ENV_FILE": str(layout.env),
    }


def figures_environment(name: str, layout: Layout) -> dict[str, str]:
    """Return where the processes of one program put their figures, to be summed (`/metrics`)."""
    return {"PROMETHEUS_MULTIPROC_DIR": str(layout.base / "metrics" / name)}


def code_digest(layout: Layout, *others: Path) -> str:
    """Return a digest of all that the application is made of: code, templates, static files."""
    root = layout.checkout
    files = (
        path
        for room in ("src", "sharding")
        for path in (root / room).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    )
    return digest_of([layout.env, root / ".venv/.requirements.sha256", *others, *sorted(files)])


def gateway(settings: Settings, layout: Layout) -> Program:
    """The sandbox of a payment gateway: one process, whose threads may hang on purpose."""
    root = layout.checkout
    environment_file = layout.conf / "gateway.env"  # its secrets stand in no environment
    return Program(
        name="gateway",
        command=(
            str(root / ".venv/bin/gunicorn"),
            "--config",
            str(root / "db/local/gunicorn_conf.py"),
            "sandbox_gateway.wsgi:application",
        ),
        priority=25,
        environment={
            "PYTHONPATH": str(root / "src"),
            "PYTHONUNBUFFERED": "1",
            "GATEWAY_ENV_FILE": str(environment_file),
            "APP_BIND": f"127.0.0.1:{settings.gateway_port}",
            "APP_WORKERS": "1",
            "APP_THREADS": "64",
        },
        as_service_account=False,
        directory=str(root),
        digest=digest_of(
            [
                environment_file,
                root / "db/local/gunicorn_conf.py",
                *sorted((root / "src/sandbox_gateway").rglob("*.py")),
            ]
        ),
    )


def haproxy(layout: Layout) -> Program:
    """HAProxy in front of the app servers.

    -W: a master stays, whose workers come and go with each reload; -db keeps it in the foreground.
    No digest: a changed configuration is a reload (`db.local.haproxy`), not a restart.
    """
    return Program(
        name="haproxy",
        command=(software.find("haproxy"), "-W", "-db", *configuration.haproxy_options(layout)),
        priority=40,
    )


def all_programs(settings: Settings, layout: Layout, bindir: Path) -> list[Program]:
    """Return every program of a stack in the order in which they start."""
    return [
        *(postgres(node, layout, bindir) for node in settings.servers),
        redis("redis", layout),
        redis("redis-state", layout),
        *(pgbouncer(node, layout) for node in settings.servers),
        mail_catcher(settings, layout),
        gateway(settings, layout),
        *(app_server(number, settings, layout) for number in range(1, APP_SERVERS + 1)),
        *workers(settings, layout),
        beat(layout),
        haproxy(layout),
    ]


def digest_of(paths: Iterable[Path]) -> str:
    """Return a short digest over the names and contents of files; a missing one counts as empty."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path).encode() + b"\0")
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()[:16]
