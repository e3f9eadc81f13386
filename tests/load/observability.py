"""What metrics and access lines cost: one app server with both, with either, and with neither.

Needs a running stack (`make up`), whose databases and Redis are used, and `wrk`. The variants are
gunicorns of one worker each beside the stack's, asked in turn within each round; a ratio is the
median of the rounds' own ratios. Their standard error goes through a pipe, as under a supervisor.
CPU time per request is the servers' own, and says the same on a machine that is busy otherwise.
The second table is what naming each statement costs: the same query with and without `Work`.
"""

import argparse
import contextlib
import os
import re
import secrets
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import django
import httpx

from tests.edge import ROOT, free_ports

VARIANTS = {
    "neither": {"METRICS": "off", "ACCESS_LOG": "off"},
    "metrics": {"METRICS": "on", "ACCESS_LOG": "off"},
    "access lines": {"METRICS": "off", "ACCESS_LOG": "on"},
    "both": {"METRICS": "on", "ACCESS_LOG": "on"},
}
KINDS = {
    "a product, from the cache": ("/api/products/{product}/", False),
    "the cart, from its shard": ("/api/cart/", True),
}
CLIENTS = 4
FIGURE = ROOT / "docs/figures/observability.png"
PASSWORD = "correct horse battery staple"

TICKS = os.sysconf("SC_CLK_TCK")  # per second


class Round(NamedTuple):
    """What one variant did in one round: requests per second, CPU microseconds per request."""

    rate: float
    cpu: float


class Variant(NamedTuple):
    """A server that runs: where, and which process it is."""

    address: str
    pid: int


Rounds = dict[str, dict[str, list[Round]]]  # by kind and variant


@contextlib.contextmanager
def servers(directory: Path) -> Iterator[dict[str, Variant]]:
    """Start a server for each variant."""
    ports = free_ports(len(VARIANTS))
    started: dict[str, Variant] = {}
    running = []
    try:
        for (name, switches), port in zip(VARIANTS.items(), ports, strict=True):
            running.append(_start(port, switches, directory / str(port)))
            started[name] = Variant(f"http://127.0.0.1:{port}", running[-1].pid)
        for variant in started.values():
            _wait_until_ready(variant.address)
        yield started
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(timeout=60)


def _start(port: int, switches: dict[str, str], figures: Path) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        **switches,
        "DJANGO_SETTINGS_MODULE": "shop.config.settings",
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        "APP_BIND": f"127.0.0.1:{port}",
        "APP_WORKERS": "1",
        "APP_THREADS": "8",
        "PROMETHEUS_MULTIPROC_DIR": str(figures),
        **dict.fromkeys(("THROTTLE_USER", "THROTTLE_ANONYMOUS"), "1000000000/min"),  # counted still
    }
    command = [
        *(Path(sys.executable).parent / "gunicorn", "-c", ROOT / "db/local/gunicorn_conf.py"),
        "shop.config.wsgi:application",
    ]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, cwd=ROOT)
    assert process.stderr is not None
    threading.Thread(target=_drain, args=(process.stderr.fileno(),), daemon=True).start()
    return process


def _drain(pipe: int) -> None:
    """Read a log as a supervisor does, and forget it."""
    with contextlib.suppress(OSError):
        while os.read(pipe, 131_072):
            pass


def _wait_until_ready(address: str) -> None:
    for _ in range(600):
        with contextlib.suppress(httpx.HTTPError):
            if httpx.get(f"{address}/health/ready", timeout=5).status_code == 200:
                return
        time.sleep(0.1)
    raise SystemExit(f"The app server at {address} is not ready; is the stack up?")


def prepare(address: str) -> tuple[str, str]:
    """Return a customer's token, with a cart that is not empty, and the id of a product."""
    name = f"bench-{secrets.token_hex(6)}"
    account = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    with httpx.Client(base_url=address, timeout=30) as client:
        token = client.post("/api/auth/register/", json=account).raise_for_status().json()["access"]
        products = client.get("/api/products/").raise_for_status().json()["results"]
        if not products:
            raise SystemExit("The shop is empty: `make smoke` or `manage.py seed` fills it.")
        product = products[0]["id"]
        client.headers["Authorization"] = f"Bearer {token}"
        client.post("/api/cart/items/", json={"product_id": product, "quantity": 1})
    return token, str(product)


def measure(seconds: float, rounds: int) -> Rounds:
    """Let the variants take turns, each round in another order."""
    if not shutil.which("wrk"):
        raise SystemExit("wrk is missing: apt-get install wrk.")
    found: Rounds = {kind: {name: [] for name in VARIANTS} for kind in KINDS}
    with tempfile.TemporaryDirectory() as directory, servers(Path(directory)) as started:
        token, product = prepare(next(iter(started.values())).address)
        for number in range(-1, rounds):  # the first one warms up, and does not count
            for kind, (path, personal) in KINDS.items():
                names = list(VARIANTS)
                for name in names[number % 4 :] + names[: number % 4]:
                    one = _round(
                        started[name],
                        path.format(product=product),
                        seconds=seconds if number >= 0 else 2,
                        token=token if personal else "",
                    )
                    if number >= 0:
                        found[kind][name].append(one)
    return found


def _round(variant: Variant, path: str, *, seconds: float, token: str) -> Round:
    before = _cpu_seconds(variant.pid)
    rate, count = _wrk(variant.address + path, seconds, token)
    return Round(rate, (_cpu_seconds(variant.pid) - before) / count * 1e6)


def _cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process and its children so far, all of which still run."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    stats = [Path(f"/proc/{one}/stat").read_text() for one in (pid, *children)]
    fields = [stat.rpartition(")")[2].split() for stat in stats]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS


def _wrk(url: str, seconds: float, token: str) -> tuple[float, int]:
    """Return how many requests per second were answered, and in all, every one of them well."""
    header = ["-H", f"Authorization: Bearer {token}"] if token else []
    command = ["wrk", "-t1", f"-c{CLIENTS}", f"-d{seconds:g}s", *header, url]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        raise SystemExit(f"{url} was not answered well:\n{said}")
    rate = re.search(r"Requests/sec:\s+([\d.]+)", said)
    count = re.search(r"(\d+) requests in", said)
    assert rate is not None, said
    assert count is not None, said
    return float(rate[1]), int(count[1])


def statements(count: int) -> tuple[float, float]:
    """Return the median microseconds of a point read: bare, and as part of a named work."""
    from django.db import connection

    from sharding.django.work import Work, doing

    class Named(Work):
        def names(self) -> dict[str, str]:
            return {"request_id": "0123456789abcdef0123456789abcdef", "route": "/api/cart/items/"}

    bare: list[float] = []
    named: list[float] = []
    sql = "SELECT id, name FROM catalog_product WHERE id = %s"
    with connection.cursor() as cursor:
        for _ in range(count):
            began = time.perf_counter()
            cursor.execute(sql, [1])
            bare.append(time.perf_counter() - began)
            with doing(Named()):
                began = time.perf_counter()
                cursor.execute(sql, [1])
                named.append(time.perf_counter() - began)
    return statistics.median(bare) * 1e6, statistics.median(named) * 1e6


def _ratio(rounds: list[Round], base: list[Round], what: str) -> float:
    pairs = zip(rounds, base, strict=True)
    return statistics.median(getattr(one, what) / getattr(other, what) for one, other in pairs)


def table(found: Rounds) -> str:
    """Return the medians of the rounds as a Markdown table, ratios against neither."""
    lines = [
        "| request | metrics | access lines | requests/s | of neither | CPU µs | of neither |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    for kind, variants in found.items():
        for name, rounds in variants.items():
            switches, base = VARIANTS[name], variants["neither"]
            rate, cpu = (statistics.median(column) for column in zip(*rounds, strict=True))
            lines.append(
                f"| {kind} | {switches['METRICS']} | {switches['ACCESS_LOG']} | {rate:,.0f} "
                f"| {_ratio(rounds, base, 'rate'):.1%} "
                f"| {cpu:,.0f} | {_ratio(rounds, base, 'cpu'):.1%} |"
            )
    return "\n".join(lines)


def plot(found: Rounds) -> None:
    """Draw what is left of the throughput."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 3.5))
    names = list(VARIANTS)
    for number, (kind, variants) in enumerate(found.items()):
        shares = [100 * _ratio(variants[name], variants["neither"], "rate") for name in names]
        places = [place + 0.4 * number - 0.2 for place in range(len(names))]
        axes.bar(places, shares, width=0.38, label=kind)
    axes.axhline(97, color="gray", linestyle="--", linewidth=1)
    axes.set(ylim=(80, 104), ylabel="% of the throughput without", xticks=range(len(names)))
    axes.set_xticklabels(names)
    axes.legend(loc="lower left")
    figure.savefig(FIGURE, dpi=120, bbox_inches="tight")


def main() -> None:
    """Measure, and print the tables with the command that made them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=8, help="of each variant in a round")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--plot", action="store_true", help=f"write {FIGURE.relative_to(ROOT)}")
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.config.settings")
    found = measure(chosen.seconds, chosen.rounds)
    django.setup()
    bare, named = statements(5000)
    command = f"--seconds {chosen.seconds:g} --rounds {chosen.rounds}"
    print(f"`make bench-observability ARGS='{command}'`\n\n{table(found)}\n")
    print("| a point read | median µs |\n|---|---:|")
    print(f"| bare | {bare:.0f} |\n| named and timed | {named:.0f} |")
    if chosen.plot:
        plot(found)


if __name__ == "__main__":
    main()
