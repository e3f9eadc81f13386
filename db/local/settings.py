"""What the person at the keyboard chose: variables of `make`, remembered from one run to the next.

Invariant: the ports of a stack are distinct and valid before anything starts (`Settings.check`).
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from db.local.errors import InvalidVariable, StackError

APP_SERVERS = 2
TEST_STACK = "test"
# The test stack's ports are the chosen ones plus this, still below the range from which Linux
# gives clients their ports (32768 and up).
TEST_PORT_OFFSET = 20_000


@dataclass(frozen=True, kw_only=True)
class Variable:
    """A number that can be chosen: its name in `make`, its default and its bounds."""

    name: str
    default: int
    lowest: int
    highest: int

    @property
    def field(self) -> str:
        """The attribute of `Settings` that holds the value."""
        return self.name.lower()

    def parse(self, text: str) -> int:
        """Return the number in `text`; InvalidVariable says what is expected."""
        if not re.fullmatch(r"\d{1,6}", text, re.ASCII):
            raise InvalidVariable(f"{self.name}={text} is not a number{self._expected}")
        return self.check(int(text))

    def check(self, value: int) -> int:
        """Return `value` when it is within the bounds."""
        if not self.lowest <= value <= self.highest:
            raise InvalidVariable(f"{self.name}={value} is out of range{self._expected}")
        return value

    @property
    def _expected(self) -> str:
        return f": choose one from {self.lowest} to {self.highest}."


def _port(name: str, default: int) -> Variable:
    # Below 1024 only root may listen, and no server of the stack runs as root.
    return Variable(name=name, default=default, lowest=1024, highest=65535)


VARIABLES = (
    # 9 nodes of 40 clients each are what max_connections in postgresql.conf is made for.
    Variable(name="WORKERS", default=2, lowest=1, highest=8),
    Variable(name="APP_WORKERS", default=2, lowest=1, highest=16),
    Variable(name="APP_THREADS", default=8, lowest=1, highest=64),
    Variable(name="TASK_PROCESSES", default=2, lowest=1, highest=16),
    _port("HTTP_PORT", 8080),
    _port("STATS_PORT", 8404),
    _port("APP_PORT", 8001),
    _port("PG_PORT", 5500),
    _port("POOL_PORT", 6500),
    _port("REDIS_PORT", 6390),
    _port("SMTP_PORT", 8025),
    _port("GATEWAY_PORT", 8090),
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
    # With defaults, so that a stack that was made before there was more can be read.
    gateway_port: int = 8090
    smtp_port: int = 8025
    task_processes: int = 2
    broker_url: str = ""
    port_offset: int = 0

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The PostgreSQL nodes, coordinator first; without Citus a single one."""
        names = ["single"]
        if self.citus:
            names = ["coordinator", *(f"worker{n}" for n in range(1, self.workers + 1))]
        return tuple(
            Node(number=n, name=name, pg_port=self.pg_port + n, pool_port=self.pool_port + n)
            for n, name in enumerate(names)
        )

    @property
    def broker(self) -> str:
        """Where tasks are queued: the stack's Redis, beside the cache, unless it was chosen."""
        return self.broker_url or f"redis://127.0.0.1:{self.redis_port}/1"

    @property
    def durable(self) -> bool:
        """Whether data must survive a power loss: all but the tests' must."""
        return self.stack != TEST_STACK

    def ports(self) -> Iterator[Port]:
        """Yield every port that the stack listens on."""

        def port(number: int, variable: str, purpose: str, program: str) -> Port:
            variable = "TEST_PORT_OFFSET" if self.port_offset else variable
            return Port(number=number, variable=variable, purpose=purpose, program=program)

        yield port(self.http_port, "HTTP_PORT", "HAProxy", "haproxy")
        yield port(self.stats_port, "STATS_PORT", "HAProxy's figures", "haproxy")
        yield port(self.redis_port, "REDIS_PORT", "Redis", "redis")
        yield port(self.smtp_port, "SMTP_PORT", "the mail catcher", "mail-catcher")
        yield port(self.gateway_port, "GATEWAY_PORT", "the payment gateway", "gateway")
        for n in range(APP_SERVERS):
            yield port(self.app_port + n, "APP_PORT", f"app server {n + 1}", f"app{n + 1}")
        for node in self.nodes:
            yield port(node.pg_port, "PG_PORT", f"PostgreSQL {node.name}", f"postgres-{node.name}")
            yield port(
                node.pool_port, "POOL_PORT", f"PgBouncer {node.name}", f"pgbouncer-{node.name}"
            )

    def check(self) -> None:
        """Raise InvalidVariable when a port is beyond the last one or is used twice."""
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
        return Settings(**json.loads(path.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError):
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
    environ: Mapping[str, str], *, stack: str, citus: bool, pg_major: str, before: Settings | None
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
        **values,
    )
    settings.check()
    return settings


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
