"""What the person at the keyboard chose: variables of `make`, remembered from one run to the next.

Invariant: the ports of a stack are distinct and valid before anything starts (`Settings.check`).
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from db.local import edge, monitoring_ports
from db.local.edge import Edge
from db.local.errors import InvalidVariable, StackError
from db.local.variable import Variable, port_variable

APP_SERVERS = 2
TEST_STACK = "test"
# The test stack's ports are the chosen ones plus this, still below the range from which Linux
# gives clients their ports (32768 and up).
TEST_PORT_OFFSET = 20_000


# With the coordinator, 9 nodes of 40 clients: what max_connections in postgresql.conf is made for.
MOST_WORKERS = 8
VARIABLES = (
    Variable(name="WORKERS", default=2, lowest=1, highest=MOST_WORKERS),
    # Servers that run beside the cluster, to try `shardctl add-node` with.
    Variable(name="SPARES", default=0, lowest=0, highest=4),
    Variable(name="APP_WORKERS", default=2, lowest=1, highest=16),
    Variable(name="APP_THREADS", default=8, lowest=1, highest=64),
    Variable(name="TASK_PROCESSES", default=2, lowest=1, highest=16),
    port_variable("HTTP_PORT", 8080),
    port_variable("STATS_PORT", 8404),
    port_variable("HTTPS_PORT", 8443),
    port_variable("APP_PORT", 8001),
    port_variable("PG_PORT", 5500),
    port_variable("POOL_PORT", 6500),
    port_variable("REDIS_PORT", 6390),
    port_variable("STATE_REDIS_PORT", 6391),
    port_variable("SMTP_PORT", 8025),
    port_variable("GATEWAY_PORT", 8090),
    port_variable("METRICS_PORT", 9400),
    port_variable("PROMETHEUS_PORT", 9490),
    port_variable("ALERTMANAGER_PORT", 9493),
)


@dataclass(frozen=True, kw_only=True)
class Port:
    """A port that the stack listens on, and the variable that changes it."""

    number: int
    variable: str
    purpose: str
    program: str


@dataclass(frozen=True, kw_only=True)
class Node:
    """A PostgreSQL server with its PgBouncer; number 0 is the coordinator, or the only one."""

    number: int
    name: str
    pg_port: int
    pool_port: int


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything about a stack that can be chosen."""

    stack: str
    citus: bool
    pg_major: str
    workers: int
    app_workers: int
    app_threads: int
    http_port: int
    stats_port: int
    app_port: int
    pg_port: int
    pool_port: int
    redis_port: int
    state_redis_port: int
    # With defaults, so that a stack that was made before there was more can be read.
    gateway_port: int = 8090
    smtp_port: int = 8025
    metrics_port: int = 9400
    prometheus_port: int = 9490
    alertmanager_port: int = 9493
    monitoring: bool = False
    monitoring_wish: str = "auto"
    task_processes: int = 2
    spares: int = 0
    broker_url: str = ""
    https_port: int = 8443
    edge: Edge = field(default_factory=Edge)
    port_offset: int = 0

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The PostgreSQL nodes of the cluster, coordinator first; without Citus a single one."""
        return self.servers[: 1 + self.workers]

    @property
    def servers(self) -> tuple[Node, ...]:
        """The nodes, and behind them the spares, which are called as the workers they may become.

        Whether a spare has joined the cluster since, only the cluster knows.
        """
        names = ["single"]
        if self.citus:
            last = self.workers + self.spares
            names = ["coordinator", *(f"worker{n}" for n in range(1, last + 1))]
        return tuple(
            Node(number=n, name=name, pg_port=self.pg_port + n, pool_port=self.pool_port + n)
            for n, name in enumerate(names)
        )

    @property
    def broker(self) -> str:
        """Where tasks are queued: the stack's Redis, beside the cache, unless it was chosen."""
        return self.broker_url or f"redis://127.0.0.1:{self.redis_port}/1"

    @property
    def public_url(self) -> str:
        """The address that clients use."""
        if self.edge.tls_certificate:
            return f"https://127.0.0.1:{self.https_port}"
        return f"http://127.0.0.1:{self.http_port}"

    @property
    def server_maxconn(self) -> int:
        """How many requests an app server takes at once: twice its threads, the rest waits."""
        return 2 * self.app_workers * self.app_threads

    @property
    def durable(self) -> bool:
        """Whether data must survive a power loss: all but the tests' must."""
        return self.stack != TEST_STACK

    @property
    def shards(self) -> int:
        """Of a table; few where the tests move them all."""
        return 32 if self.durable else 8

    def ports(self) -> Iterator[Port]:
        """Yield every port that the stack listens on."""

        def taken(number: int, variable: str, purpose: str, program: str) -> Port:
            variable = "TEST_PORT_OFFSET" if self.port_offset else variable
            return Port(number=number, variable=variable, purpose=purpose, program=program)

        yield taken(self.http_port, "HTTP_PORT", "HAProxy", "haproxy")
        if self.edge.tls_certificate:
            yield taken(self.https_port, "HTTPS_PORT", "HAProxy's TLS", "haproxy")
        yield taken(self.stats_port, "STATS_PORT", "HAProxy's figures", "haproxy")
        yield taken(self.redis_port, "REDIS_PORT", "Redis", "redis")
        yield taken(self.state_redis_port, "STATE_REDIS_PORT", "Redis for counters", "redis-state")
        yield taken(self.smtp_port, "SMTP_PORT", "the mail catcher", "mail-catcher")
        yield taken(self.gateway_port, "GATEWAY_PORT", "the payment gateway", "gateway")
        for n in range(APP_SERVERS):
            yield taken(self.app_port + n, "APP_PORT", f"app server {n + 1}", f"app{n + 1}")
        for node in self.servers:
            yield taken(node.pg_port, "PG_PORT", f"PostgreSQL {node.name}", f"postgres-{node.name}")
            yield taken(
                node.pool_port, "POOL_PORT", f"PgBouncer {node.name}", f"pgbouncer-{node.name}"
            )
        for used in monitoring_ports.used(self):
            yield taken(*used)

    def check(self) -> None:
        """Raise InvalidVariable for too many nodes, and a port that is used twice or cannot be."""
        if self.workers + self.spares > MOST_WORKERS:
            raise InvalidVariable(
                f"WORKERS={self.workers} and SPARES={self.spares} are more than"
                f" {MOST_WORKERS} together."
            )
        seen: dict[int, Port] = {}
        for port in self.ports():
            if port.number > 65535:
                raise InvalidVariable(
                    f"{port.purpose} would need port {port.number}, beyond 65535:"
                    f" choose a smaller {port.variable}."
                )
            other = seen.setdefault(port.number, port)
            if other is not port:
                raise InvalidVariable(
                    f"Port {port.number} is asked for twice, for {other.purpose}"
                    f" ({other.variable}) and {port.purpose} ({port.variable}): change one of them."
                )

    def save(self, path: Path) -> None:
        """Remember these settings for the next run."""
        text = json.dumps(dataclasses.asdict(self), indent=2) + "\n"
        draft = path.with_suffix(".new")
        draft.write_text(text)
        draft.replace(path)


def load(path: Path) -> Settings | None:
    """Return the remembered settings, None when the stack was never started."""
    try:
        values = json.loads(path.read_text())
        return Settings(**values | {"edge": Edge(**values.get("edge", {}))})
    except FileNotFoundError:
        return None
    except (ValueError, TypeError, AttributeError):
        raise StackError(
            f"{path} cannot be read: `make clean` removes it, with the data."
        ) from None


def stack_name(environ: Mapping[str, str]) -> str:
    """Return the stack's name; it becomes a directory, so it is kept simple."""
    name = environ.get("STACK") or "local"
    if not re.fullmatch(r"[a-z][a-z0-9-]{0,19}", name):
        raise InvalidVariable(
            f"STACK={name} cannot be a name: use up to 20 small letters, digits and hyphens,"
            " beginning with a letter."
        )
    return name


def choose(
    environ: Mapping[str, str],
    *,
    stack: str,
    citus: bool,
    pg_major: str,
    before: Settings | None,
    monitoring: bool = False,
) -> Settings:
    """Return checked settings: a variable wins over what is remembered, that over the default."""
    offset = _test_offset(environ) if stack == TEST_STACK else 0
    values: dict[str, int] = {}
    for variable in VARIABLES:
        text = environ.get(variable.name, "")
        remembered = (
            getattr(before, variable.field)
            if before
            else variable.default + (offset if variable.name.endswith("_PORT") else 0)
        )
        values[variable.field] = remembered
        if text:
            chosen = variable.parse(text)
            values[variable.field] = chosen + (offset if variable.name.endswith("_PORT") else 0)
    settings = Settings(
        stack=stack,
        citus=citus,
        pg_major=pg_major,
        port_offset=offset,
        broker_url=_broker_url(environ, before),
        edge=edge.choose(environ, before=before.edge if before else None),
        monitoring=monitoring,
        monitoring_wish=monitoring_wish(environ, before),
        **values,
    )
    settings.check()
    return settings


def monitoring_wish(environ: Mapping[str, str], before: Settings | None) -> str:
    """Return on, off or auto: MONITORING, or what was chosen before."""
    wish = environ.get("MONITORING") or (before.monitoring_wish if before else "auto")
    if wish not in {"auto", "on", "off"}:
        raise InvalidVariable(f"MONITORING={wish} is unknown: choose on, off or auto.")
    return wish


def _broker_url(environ: Mapping[str, str], before: Settings | None) -> str:
    """Return the chosen broker; `BROKER_URL=` with nothing behind it is the default again."""
    url = environ.get("BROKER_URL", before.broker_url if before else "")
    if url and not re.match(r"(amqps?|rediss?)://[^\s]+$", url, re.ASCII):
        raise InvalidVariable(
            f"BROKER_URL={url} is no address of a broker: use redis://… or amqp://…"
        )
    return url


def _test_offset(environ: Mapping[str, str]) -> int:
    bounds = Variable(
        name="TEST_PORT_OFFSET", default=TEST_PORT_OFFSET, lowest=1000, highest=50_000
    )
    text = environ.get(bounds.name, "")
    return bounds.parse(text) if text else bounds.default
