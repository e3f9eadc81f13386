"""What customers notice when Redis is gone: error rate and times before, without and after.

It runs against the local stack (`make up`; STACK=… for another one): Redis is killed and kept down
for a phase, then started again. The phases have equal length and the same steady load: readers of
the catalog, past HAProxy's cache, and buyers who fill carts and order.
"""

import argparse
import os
import secrets
import signal
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from db.local import layout as layouts
from db.local.supervisor import Supervisor
from shop.config.environment import load
from tests.e2e.traffic import Traffic

ROOT = Path(__file__).resolve().parents[2]
FIGURE = ROOT / "docs/figures/redis_outage.png"
PASSWORD = "correct horse battery staple"
WARM_UP = 3.0  # seconds
PROMISED = 3.0  # times the normal p99


@dataclass
class Phase:
    """A stretch of the run: seconds of its requests, and how many of them failed."""

    name: str
    seconds: list[float]
    failed: int


def customer(url: str) -> httpx.Client:
    """Register somebody new."""
    client = httpx.Client(base_url=url, timeout=60)
    name = f"load-{secrets.token_hex(8)}"
    body = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
    answer = client.post("/api/auth/register/", json=body).raise_for_status().json()
    client.headers["Authorization"] = f"Bearer {answer['access']}"
    return client


def product(url: str) -> int:
    """Put something on sale that lasts for the whole run; return its id."""
    name = f"load-{secrets.token_hex(8)}"
    command = [sys.executable, str(ROOT / "src/manage.py"), "create_staff", "--role=admin"]
    subprocess.run(
        [*command, f"--username={name}", f"--email={name}@example.com"],
        input=PASSWORD,
        text=True,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    with httpx.Client(base_url=url, timeout=60) as staff:

        def post(path: str, body: dict[str, Any]) -> Any:
            answer = staff.post(path, json=body, headers={"Idempotency-Key": name})
            return answer.raise_for_status().json()

        token = post("/api/auth/login/", {"username": name, "password": PASSWORD})["access"]
        staff.headers["Authorization"] = f"Bearer {token}"
        category = post("/api/categories/", {"name": name})["id"]
        wanted = {"name": name, "price": "10.00", "category_id": category}
        made = int(post("/api/products/", wanted)["id"])
        post(f"/api/products/{made}/stock/", {"delta": 1_000_000, "reason": "receipt"})
    return made


def kill_redis(supervisor: Supervisor) -> None:
    """Kill Redis -9 and keep it down."""
    os.kill(supervisor.states()["redis"].pid, signal.SIGKILL)
    supervisor.stop_program("redis")


def measure(url: str, run_dir: Path, seconds: float) -> list[Phase]:
    """Run the three phases under load."""
    supervisor = Supervisor(layouts.find(run_dir.name, checkout=run_dir.parents[1]))
    buyers = [customer(url) for _ in range(2)]
    steps = {"before": lambda: None, "without": lambda: kill_redis(supervisor)}
    steps["after"] = lambda: supervisor.start_program("redis")
    begun: list[float] = []
    with Traffic(url, product=product(url), readers=3, buyers=buyers) as traffic:
        time.sleep(WARM_UP)
        try:
            for step in steps.values():
                begun.append(time.monotonic())
                step()
                time.sleep(seconds)
        finally:
            supervisor.start_program("redis")
    ends = [*begun[1:], float("inf")]
    return [
        Phase(
            name,
            [one.seconds for one in traffic.answered if start <= one.at < end],
            sum(start <= one.at < end for one in traffic.failures),
        )
        for name, start, end in zip(steps, begun, ends, strict=True)
    ]


def table(phases: list[Phase]) -> str:
    """Return the phases as a Markdown table, ratios against the first."""
    lines = [
        "| Redis | requests | failed | p50 ms | p99 ms | p99 ratio |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    base = _percentile(phases[0], 99)
    for phase in phases:
        p50, p99 = _percentile(phase, 50), _percentile(phase, 99)
        lines.append(
            f"| {phase.name} | {len(phase.seconds)} | {phase.failed} | {p50:.0f} | {p99:.0f} "
            f"| {p99 / base:.2f} |"
        )
    return "\n".join(lines)


def _percentile(phase: Phase, percent: int) -> float:
    return 1000 * statistics.quantiles(phase.seconds, n=100)[percent - 1]


def plot(phases: list[Phase]) -> None:
    """Draw how many requests were answered within which time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    for phase in phases:
        values = sorted(1000 * value for value in phase.seconds)
        axes.plot(values, [(n + 1) / len(values) for n in range(len(values))], label=phase.name)
    axes.set(xscale="log", xlabel="milliseconds", ylabel="share of requests answered")
    axes.set_title("Before, without and after Redis")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(FIGURE, dpi=120, bbox_inches="tight")


def main() -> int:
    """Measure; return 1 when a request failed or the promise about p99 was not kept."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="of each phase")
    parser.add_argument("--plot", action="store_true", help=f"write {FIGURE.relative_to(ROOT)}")
    chosen = parser.parse_args()
    env = load()
    phases = measure(env.required("PUBLIC_URL"), Path(env.required("RUN_DIR")), chosen.seconds)
    print(f"`make bench-redis_outage ARGS='--seconds {chosen.seconds:g}'`\n")
    print(table(phases))
    if chosen.plot:
        plot(phases)
    slow = _percentile(phases[1], 99) > PROMISED * _percentile(phases[0], 99)
    return int(slow or any(phase.failed for phase in phases))


if __name__ == "__main__":
    sys.exit(main())
