"""The processes of a stack, as data: what runs, as whom, with which environment.

Invariant: a program whose configuration changed has another `digest`, so that supervisord restarts
exactly the programs that a second `make up` concerns.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from db.local import configuration, software
from db.local.layout import Layout
from db.local.settings import APP_SERVERS, Node, Settings

# Every process of a stack carries this variable: what supervisord left behind is found by it.
MARK = "SHARDMART_SUPERVISED"


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


def redis(layout: Layout) -> Program:
    """Redis."""
    conf = layout.conf / "redis.conf"
    return Program(
        name="redis",
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
            "PYTHONPATH": f"{root / 'src'}:{root}",
            "PYTHONUNBUFFERED": "1",
            "SHARDMART_ENV_FILE": str(layout.env),
            "APP_BIND": f"127.0.0.1:{settings.app_port + number - 1}",
            "APP_WORKERS": str(settings.app_workers),
            "APP_THREADS": str(settings.app_threads),
        },
        as_service_account=False,
        directory=str(root),
        digest=digest_of(
            [
                layout.env,
                root / "db/local/gunicorn_conf.py",
                root / ".venv/.requirements.sha256",
                # New code restarts the app servers, one after the other.
                *sorted((root / "src").rglob("*.py")),
                *sorted((root / "sharding").rglob("*.py")),
            ]
        ),
    )


def haproxy(settings: Settings, layout: Layout) -> Program:
    """HAProxy in front of the app servers; -db keeps it in the foreground."""
    conf = configuration.haproxy_path(layout)
    return Program(
        name="haproxy",
        command=(software.find("haproxy"), "-db", "-f", str(conf)),
        priority=40,
        environment={
            "HTTP_BIND": f"127.0.0.1:{settings.http_port}",
            "STATS_BIND": f"127.0.0.1:{settings.stats_port}",
            **{
                f"APP{n}": f"127.0.0.1:{settings.app_port + n - 1}"
                for n in range(1, APP_SERVERS + 1)
            },
        },
        digest=digest_of(sorted(p for p in conf.parent.rglob("*") if p.is_file())),
    )


def all_programs(settings: Settings, layout: Layout, bindir: Path) -> list[Program]:
    """Return every program of a stack in the order in which they start."""
    return [
        *(postgres(node, layout, bindir) for node in settings.nodes),
        redis(layout),
        *(pgbouncer(node, layout) for node in settings.nodes),
        *(app_server(number, settings, layout) for number in range(1, APP_SERVERS + 1)),
        haproxy(settings, layout),
    ]


def digest_of(paths: Iterable[Path]) -> str:
    """Return a short digest over the names and contents of files; a missing one counts as empty."""
    digest = hashlib.sha256()
    for path in paths:
        digest.update(str(path).encode() + b"\0")
        digest.update(path.read_bytes() if path.exists() else b"")
    return digest.hexdigest()[:16]
