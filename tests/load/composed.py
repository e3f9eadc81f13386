"""The composed cluster grows, is made even, shrinks, and loses a node, under traffic from outside.

    docker compose up --wait && make bench-composed ARGS=grow
    make bench-composed ARGS=kill

`grow` asks for two workers more, waits until they have joined by themselves, moves shards to them,
drains and removes them and scales down again, while buyers go on shopping through HAProxy's
published port: a request that fails is a failure of the run. `kill` takes one worker away as a
crash does: its users' requests fail until it is back, and it says for how long. Either ends with
a look at shards, stock, orders and payments: they agree.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import httpx

from tests.live import PASSWORD, ROOT, Failure, Shoppers

STOCK = 1_000_000
MORE = 2  # workers that come and go
JOINED_WITHIN = BACK_WITHIN = 180.0  # seconds
SETTLED_WITHIN = 120.0  # seconds: payments and mails come after the orders
CRASH = "kill -KILL -1"  # all that runs in the container, as its user; its init ends with it


class Trouble(Exception):
    """Something did not come about; the text says what."""


def main() -> int:
    """Run one of the two; return 1 when it did not go as it should."""
    options = _options()
    services = compose("ps", "--services", "--status=running").split()
    if "haproxy" not in services:
        print("The composed stack does not run: docker compose up --wait", file=sys.stderr)
        return 2
    url = f"http://{compose('port', 'haproxy', '8080').strip()}"
    try:
        with Shoppers(url, product=on_sale(url), buyers=options.buyers) as shoppers:
            shoppers.idle("nothing (before)", seconds=options.seconds)
            {"grow": grow, "kill": kill}[options.what](shoppers)
            shoppers.idle("nothing (after)", seconds=options.seconds)
        report(shoppers)
        check_books()
    except Trouble as trouble:
        print(trouble, file=sys.stderr)
        return 1
    return _verdict(options.what, shoppers.failures)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.load.composed", description=__doc__)
    parser.add_argument("what", choices=("grow", "kill"))
    parser.add_argument("--buyers", type=int, default=4, help="who buy at the same time (4)")
    parser.add_argument("--seconds", type=float, default=10, help="of the phases at rest (10)")
    return parser.parse_args()


def grow(shoppers: Shoppers) -> None:
    """Two workers more, and two fewer."""
    before = workers()
    with shoppers.during("scale up"):
        scale(len(before) + MORE)
        until(lambda: len(workers()) == len(before) + MORE, "the new workers have joined")
    new = sorted(workers() - before)
    with shoppers.during("rebalance"):
        shardctl("rebalance", "--by", "shards")
    held = {node["name"]: node["shards"] for node in nodes()}
    if min(held[node] for node in new) < max(held.values()) / 2:
        raise Trouble(f"rebalance left a new worker without its share of the shards: {held}")
    for node in reversed(new):
        with shoppers.during(f"drain {_short(node)}"):
            shardctl("drain", node)
        with shoppers.during(f"remove {_short(node)}"):
            shardctl("remove-node", node)
    with shoppers.during("scale down"):
        scale(len(before))
    if workers() != before:
        raise Trouble(f"the workers were {sorted(before)}, and are {sorted(workers())}")


def kill(shoppers: Shoppers) -> None:
    """One worker crashes; the restart policy brings it back."""
    container = compose("ps", "--quiet", "worker").split()[0]
    restarts = _inspect(container, "{{.RestartCount}}")
    with shoppers.during("a worker crashed"):
        subprocess.run(["docker", "exec", container, "bash", "-c", CRASH], check=False, timeout=60)
        until(
            lambda: (
                _inspect(container, "{{.RestartCount}}") > restarts
                and _inspect(container, "{{.State.Health.Status}}") == "healthy"
            ),
            "the worker is healthy again",
        )
    shoppers.idle("it is back", seconds=15)
    late = [failure for failure in shoppers.failures if failure.phase == "it is back"]
    if late:
        raise Trouble(f"requests fail although the worker is back: {late[:3]}")


def scale(count: int) -> None:
    """Run so many workers; nothing else is touched."""
    compose("up", "--detach", "--no-deps", "--no-recreate", f"--scale=worker={count}", "worker")


def workers() -> set[str]:
    """Return the workers that have joined: they may hold shards, as pg_dist_node calls them."""
    return {node["name"] for node in nodes() if node["role"] == "worker" and node["takes_shards"]}


def nodes() -> list[dict[str, Any]]:
    """Return the nodes as `shardctl status` sees them, whatever it finds wrong about them."""
    said = shardctl("status", "--format=json", allowed=(0, 1))
    found: list[dict[str, Any]] = json.loads(said)["data"]["nodes"]
    return found


def shardctl(*arguments: str, allowed: tuple[int, ...] = (0,)) -> str:
    """Run `shardctl --yes` as a DBA does."""
    return compose("run", "--rm", "-T", "shardctl", "--yes", *arguments, allowed=allowed)


def manage(*arguments: str, stdin: str = "") -> str:
    """Run a management command inside an app server."""
    command = ("exec", "-T", "app1", "python", "src/manage.py", *arguments)
    return compose(*command, stdin=stdin)


def compose(*arguments: str, stdin: str = "", allowed: tuple[int, ...] = (0,)) -> str:
    """Run `docker compose`; return what it printed.

    Raises:
        Trouble: it ended with another exit code than those allowed.
    """
    done = subprocess.run(
        ["docker", "compose", *arguments],
        cwd=ROOT,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    if done.returncode not in allowed:
        said = f"{done.stdout}{done.stderr}".strip()
        raise Trouble(f"docker compose {' '.join(arguments)} ends with {done.returncode}:\n{said}")
    return done.stdout


def _inspect(container: str, what: str) -> str:
    command = ["docker", "inspect", "--format", what, container]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def until(holds: Callable[[], bool], what: str, *, seconds: float = JOINED_WITHIN) -> None:
    """Wait until something holds.

    Raises:
        Trouble: it does not within so many seconds.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(Trouble):  # of the very moment: nobody may answer yet
            if holds():
                return
        time.sleep(1)
    raise Trouble(f"Not within {seconds:g} s: {what}.")


def on_sale(url: str) -> int:
    """Put something on sale of which there is enough; return its id."""
    name = f"sam-{secrets.token_hex(8)}"
    person = (f"--username={name}", f"--email={name}@example.com")
    manage("create_staff", *person, "--role=admin", stdin=PASSWORD)
    with httpx.Client(base_url=url, timeout=60) as sam:
        login = sam.post("/api/auth/login/", json={"username": name, "password": PASSWORD})
        sam.headers["Authorization"] = f"Bearer {login.json()['access']}"
        category = sam.post("/api/categories/", json={"name": name}).json()["id"]
        goods = {"name": name, "price": "10.00", "category_id": category}
        product = int(sam.post("/api/products/", json=goods).json()["id"])
        received = {"delta": STOCK, "reason": "receipt"}
        key = {"Idempotency-Key": name}
        stocked = sam.post(f"/api/products/{product}/stock/", json=received, headers=key)
        stocked.raise_for_status()
    return product


def check_books() -> None:
    """Compare shards with metadata, and stock, orders and payments with each other.

    Raises:
        Trouble: something is not as it should be, or not settled in time.
    """
    shardctl("verify")
    until(
        lambda: manage("reconcile", "--format=json").strip() == "[]",
        "stock, orders and payments agree",
        seconds=SETTLED_WITHIN,
    )
    print("\nshardctl verify and manage.py reconcile find nothing wrong.")


def report(shoppers: Shoppers) -> None:
    """Print the phases, and what failed."""
    print(shoppers.table())
    orders = sum(map(len, shoppers.books.orders.values()))
    sent = len(shoppers.answers)
    print(
        f"\n{len(shoppers.buyers)} buyers, {orders} orders;"
        f" {len(shoppers.failures)} of {sent} requests failed."
        f"\n\n    {' '.join(['python -m tests.load.composed', *sys.argv[1:]])}"
    )
    if shoppers.failures:
        first, last = shoppers.failures[0].at, shoppers.failures[-1].at
        print(f"\nFailures over {last - first:.1f} s, the first ones:")
    for failure in shoppers.failures[:10]:
        print(f"{failure.phase}: {failure.request}: {failure.reason}")


def _verdict(what: str, failures: list[Failure]) -> int:
    """A crash is allowed to be felt while it lasts; growing and shrinking are not."""
    if what == "kill":
        failures = [one for one in failures if "crashed" not in one.phase]
    return 1 if failures else 0


def _short(node: str) -> str:
    return node.partition(":")[0].removeprefix("shardmart-")


if __name__ == "__main__":
    sys.exit(main())
