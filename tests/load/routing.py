"""What routing is worth: the right node, the coordinator, and plain PostgreSQL.

    make bench-routing
    make bench-routing ARGS="--rounds 9 --seconds 4 --plot"

Makes a throwaway Citus cluster (coordinator and two workers) and a plain PostgreSQL with the same
settings, each server behind a PgBouncer as in production, migrates and seeds both alike, and lets
four clients read and place orders: routed, through the coordinator alone (SHARD_ROUTING=off), and
on the plain server. The variants take turns within each round; figures are medians of the rounds.
Nothing is flushed to disk (fsync=off) by any of them: what is compared is the way of a statement.
"""

import argparse
import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from statistics import median
from typing import NamedTuple

from tests import throwaway
from tests.load.routing_report import report
from tests.load.routing_servers import SETTINGS, pooled

ROOT = Path(__file__).resolve().parents[2]
USERS, PRODUCTS, ORDERS = 400, 300, 4000
VARIANTS = ("plain PostgreSQL", "routed", "coordinator")


class Way(NamedTuple):
    """How a variant reaches its servers."""

    port: int
    offset: int
    routing: str

    def environment(self, direct_port: int) -> dict[str, str]:
        """The environment of a process of the shop."""
        return {
            **os.environ,
            "SHARDMART_ENV_FILE": str(ROOT / "tests/offline.env"),
            "DJANGO_SETTINGS_MODULE": "shop.config.settings",
            "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
            "DATABASE_URL": f"postgresql://postgres:x@127.0.0.1:{self.port}/postgres",
            "DATABASE_DIRECT_URL": f"postgresql://postgres:x@127.0.0.1:{direct_port}/postgres",
            "DATABASE_POOLER_PORT_OFFSET": str(self.offset),
            "SHARD_ROUTING": self.routing,
            "OUTBOX_RELAY": "false",
            "LOG_LEVEL": "ERROR",
        }


class Clients:
    """The processes of one variant, which work only when they are told to."""

    def __init__(self, environment: dict[str, str], known: str, count: int) -> None:
        self.processes = [
            subprocess.Popen(
                [sys.executable, "-m", "tests.load.routing_client", str(number), str(count), known],
                env=environment,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            for number in range(count)
        ]

    def do(self, what: str, seconds: float) -> list[dict[str, float]]:
        """Let all of them do something at the same time; return what each has done."""
        for process in self.processes:
            assert process.stdin is not None
            process.stdin.write(f"{what} {seconds}\n")
            process.stdin.flush()
        answers = []
        for process in self.processes:
            assert process.stdout is not None
            answers.append(json.loads(process.stdout.readline()))
        return answers

    def end(self) -> None:
        for process in self.processes:
            process.kill()
            process.wait()


def manage(environment: dict[str, str], *arguments: str) -> None:
    """Run manage.py, silently unless it fails."""
    command = [sys.executable, str(ROOT / "src/manage.py"), *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)


def prepared(way: Way, direct_port: int, server: throwaway.Server) -> str:
    """Migrate and seed; return the users and products that the clients act on, as JSON."""
    environment = way.environment(direct_port)
    manage(environment, "migrate", "--noinput")
    manage(environment, "seed", f"--users={USERS}", f"--products={PRODUCTS}", f"--orders={ORDERS}")
    server.sql("UPDATE inventory_stock SET available = 1000000")
    users = server.sql("SELECT id::text FROM accounts_user WHERE is_active ORDER BY id LIMIT 200")
    products = server.sql("SELECT id FROM catalog_product ORDER BY id LIMIT 100")
    return json.dumps({"users": [u for (u,) in users], "products": [p for (p,) in products]})


@contextlib.contextmanager
def variants(clients: int) -> Iterator[dict[str, Clients]]:
    """Make servers, data and clients; remove them afterwards."""
    with (
        throwaway.cluster(workers=2, spare=1, schema=False, settings=SETTINGS) as made,
        pooled(made.servers) as offset,
    ):
        spare, coordinator = made.spare(1), made.coordinator
        spare.sql("DROP EXTENSION citus")
        spare.restart(shared_preload_libraries="''")
        ways = {
            "plain PostgreSQL": (Way(spare.port + offset, offset, "off"), spare),
            "routed": (Way(coordinator.port + offset, offset, "on"), coordinator),
            "coordinator": (Way(coordinator.port + offset, offset, "off"), coordinator),
        }
        known = {}
        for server in (spare, coordinator):
            way = next(way for way, of in ways.values() if of is server)
            known[server.port] = prepared(way, server.port, server)
        running = {
            name: Clients(way.environment(server.port), known[server.port], clients)
            for name, (way, server) in ways.items()
        }
        try:
            for client in running.values():
                client.do("orm", 1)
            yield running
        finally:
            for client in running.values():
                client.end()


def measured(rounds: int, seconds: float, clients: int) -> dict[str, dict[str, float]]:
    """Return medians by variant: of each kind of work, times per second by all clients."""
    found: dict[str, dict[str, list[float]]] = {name: {} for name in VARIANTS}
    with variants(clients) as running:
        for number in range(rounds):
            turn = number % len(VARIANTS)  # nobody always comes first
            for name in (*VARIANTS[turn:], *VARIANTS[:turn]):
                for what in ("reads", "orm", "orders"):
                    answers = running[name].do(what, seconds)
                    for label in answers[0]:
                        rate = sum(answer[label] for answer in answers)
                        found[name].setdefault(label, []).append(rate)
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
    return {
        name: {label: median(values) for label, values in labels.items()}
        for name, labels in found.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--plot", action="store_true", help="renew docs/figures/routing.png")
    chosen = parser.parse_args()
    if shutil.which("pgbouncer", path="/usr/sbin:/usr/bin") is None:
        raise SystemExit("PgBouncer is not installed.")
    found = measured(chosen.rounds, chosen.seconds, chosen.clients)
    report(found, command=" ".join(["python -m tests.load.routing", *sys.argv[1:]]))
    if chosen.plot:
        from tests.load.routing_report import plot

        plot(found, ROOT / "docs/figures/routing.png")


if __name__ == "__main__":
    main()
