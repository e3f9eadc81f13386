"""What growing and shrinking does to the traffic: p99 by phase, as a table and a plot.

    make up SPARES=1 && make bench-rebalancing ARGS=--plot

It works on the stack that runs (SHARDMART_ENV_FILE, else the local one), which needs a spare node:
that node joins, gets its share of the shards, and leaves again, while buyers go on shopping
through HAProxy. One user gets a shard of their own, which stays.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from pathlib import Path

import httpx

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.config.settings")

from db.local import settings as choices
from shop.config.environment import load
from tests.e2e.conftest import manage
from tests.live import PASSWORD, ROOT, Phase, Shoppers, shardctl

STOCK = 1_000_000
FIGURE = ROOT / "docs/figures/rebalancing.png"
WINDOW = 0.5  # seconds of one point of the plot


def main() -> int:
    """Run the phases; return 1 when a request failed."""
    options = _options()
    env = load()
    url, dsn = env.str("PUBLIC_URL", ""), env.required("SHARDCTL_DSN")
    stack = choices.load(Path(env.required("RUN_DIR")) / "stack.json")
    if stack is None or not stack.citus or not stack.spares:
        print("This stack has no spare node: make up SPARES=1", file=sys.stderr)
        return 2
    node = f"127.0.0.1:{stack.servers[-1].pg_port}"
    with Shoppers(url, product=_product(url), buyers=options.buyers) as shoppers:
        shoppers.idle("nothing (before)", seconds=options.seconds)
        for command in (
            ["add-node", node],
            ["rebalance", "--by", "shards"],
            ["isolate", shoppers.buyers[0][0]],
            ["drain", node],
            ["remove-node", node],
        ):
            with shoppers.during(command[0]):
                shardctl(*command, dsn=dsn)
        shoppers.idle("nothing (after)", seconds=options.seconds)
    print(shoppers.table())
    orders = sum(map(len, shoppers.books.orders.values()))
    print(
        f"\n{options.buyers} buyers, {stack.shards} shards per table, {orders} orders;"
        f" {len(shoppers.failures)} of {len(shoppers.answers)} requests failed."
        f"\n\n    {' '.join(['python -m tests.load.rebalancing', *sys.argv[1:]])}"
    )
    for failure in shoppers.failures[:10]:
        print(f"{failure.phase}: {failure.request}: {failure.reason}", file=sys.stderr)
    if options.plot:
        plot(shoppers.phases, options.plot)
    return 1 if shoppers.failures else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.load.rebalancing", description=__doc__)
    parser.add_argument("--buyers", type=int, default=4, help="who buy at the same time (4)")
    parser.add_argument("--seconds", type=float, default=15, help="of the phases at rest (15)")
    parser.add_argument("--plot", type=Path, nargs="?", const=FIGURE, help=f"write {FIGURE.name}")
    return parser.parse_args()


def _product(url: str) -> int:
    """Put something on sale of which there is enough."""
    name = f"sam-{secrets.token_hex(8)}"
    manage("create_staff", f"--username={name}", f"--email={name}@example.com", "--role=admin")
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


def plot(phases: list[Phase], path: Path) -> None:
    """Draw the p99 and the median of each half second, the phases behind them."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    begun = phases[0].begun
    figure, axes = pyplot.subplots(figsize=(10, 4), constrained_layout=True)
    for percent, colour, name in ((99, "#d97706", "p99"), (50, "#2b6cb0", "median")):
        points = [point for phase in phases for point in _points(phase, percent)]
        axes.plot([at - begun for at, _ in points], [ms for _, ms in points], colour, label=name)
    for number, phase in enumerate(phases):
        start, end = phase.begun - begun, phase.ended - begun
        if number % 2:
            axes.axvspan(start, end, color="#000000", alpha=0.06, lw=0)
        above = axes.get_xaxis_transform()
        axes.text((start + end) / 2, 1.01, phase.name, transform=above, rotation=30, fontsize=8)
    axes.set(xlabel="seconds", ylabel="milliseconds of a request", yscale="log")
    axes.legend(loc="upper right")
    figure.savefig(path, dpi=120)
    print(f"Drawn: {path}")


def _points(phase: Phase, percent: float) -> list[tuple[float, float]]:
    points, at = [], phase.begun
    while at < phase.ended:
        inside = [a for a in phase.answers if at <= a.at < at + WINDOW]
        if inside:
            points.append((at, phase._replace(answers=inside).percentile(percent)))
        at += WINDOW
    return points


if __name__ == "__main__":
    sys.exit(main())
