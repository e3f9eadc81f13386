"""How often the catalog's cache knows the answer, while customers browse and staff write.

It asks the app servers of a stack that runs (`make up`), past HAProxy, whose own cache would keep
the popular answers from them, and through it. What is asked for follows Zipf's law: the second
product half as often as the first, the third a third as often. Meanwhile prices change and stock is
published, every few seconds. The hits are the app servers' own figures (/metrics).
"""

import argparse
import csv
import os
import random
import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import httpx

PRODUCTS = 2000
CLIENTS = 4
MIX = {"detail": 55, "list": 15, "category": 20, "search": 5, "categories": 5}  # per cent
SAMPLE = re.compile(r"shardmart_cache_requests_total\{([^}]*)\} ([\d.e+]+)")


def main() -> None:
    """Browse, write, and print what the cache knew."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--price-every", type=float, default=2, help="seconds")
    parser.add_argument("--stock-every", type=float, default=5, help="seconds; 20 products each")
    parser.add_argument("--haproxy", action="store_true", help="through HAProxy and its cache")
    chosen = parser.parse_args()
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "shop.config.settings")
    import django

    django.setup()
    from shop.config.environment import load

    env = load()
    servers = _servers(env.required("STATS_URL"))
    targets = [env.required("PUBLIC_URL")] if chosen.haproxy else servers
    ids, categories, words = _catalog()
    before, asked = _figures(servers), Counter[str]()
    stop = threading.Event()
    writer = threading.Thread(
        target=_write, args=(ids, chosen.price_every, chosen.stock_every, stop), daemon=True
    )
    writer.start()
    with ThreadPoolExecutor(CLIENTS) as pool:
        for done in pool.map(
            lambda seed: _browse(targets, ids, categories, words, chosen.seconds, seed),
            range(CLIENTS),
        ):
            asked += done
    stop.set()
    writer.join()
    where = " --haproxy" if chosen.haproxy else ""
    print(f"`make bench-catalog_traffic ARGS='--seconds {chosen.seconds}{where}'`, ", end="")
    print(f"{asked.total() / chosen.seconds:,.0f} requests/s for {len(ids):,} products\n")
    print(_table(_figures(servers) - before))
    if chosen.haproxy:
        reached = (_figures(servers) - before).total()
        print(f"\nHAProxy answered {1 - reached / asked.total():.1%} by itself.")


def _servers(stats: str) -> list[str]:
    table = httpx.get(f"{stats}/;csv", timeout=10).text
    rows = csv.DictReader(table.lstrip("# ").splitlines())
    return [f"http://{row['addr']}" for row in rows if row["svname"].startswith("app")]


def _catalog() -> tuple[list[int], list[int], list[str]]:
    from shop.catalog.models import Category, Product

    rows = list(Product.objects.order_by("id").values_list("id", "name")[:PRODUCTS])
    if len(rows) < PRODUCTS:
        raise SystemExit(
            f"{PRODUCTS} products are needed: src/manage.py seed --products {PRODUCTS}"
        )
    random.Random(1).shuffle(rows)
    words = sorted({name.split()[-1].lower() for _, name in rows})
    return [key for key, _ in rows], list(Category.objects.values_list("id", flat=True)), words


def _browse(
    targets: list[str],
    ids: list[int],
    categories: list[int],
    words: list[str],
    seconds: float,
    seed: int,
) -> Counter[str]:
    chance, end, asked = random.Random(seed), time.monotonic() + seconds, Counter[str]()
    weights = [1 / rank for rank in range(1, len(ids) + 1)]
    popular = chance.choices(ids, weights, k=100_000)
    with httpx.Client(timeout=30) as client:
        while time.monotonic() < end:
            (kind,) = chance.choices(list(MIX), list(MIX.values()))
            path = {
                "detail": lambda: f"products/{popular[asked.total() % len(popular)]}/",
                "list": lambda: f"products/?ordering={chance.choice(['-created_at', 'price'])}",
                "category": lambda: f"products/?category={chance.choice(categories)}",
                "search": lambda: f"products/?search={chance.choice(words)}",
                "categories": lambda: "categories/",
            }[kind]()
            client.get(f"{chance.choice(targets)}/api/{path}").raise_for_status()
            asked[kind] += 1
    return asked


def _write(ids: list[int], price: float, stock: float, stop: threading.Event) -> None:
    """Change prices and publish stock, of products drawn evenly."""
    from shop.catalog import services
    from shop.catalog.models import Product

    chance, ticks = random.Random(0), 0
    step = min(price, stock)
    while not stop.wait(step):
        ticks += 1
        if ticks * step % price < step:
            cents = chance.randint(100, 99999)
            services.update_product(chance.choice(ids), {"price": f"{cents / 100:.2f}"})
        if ticks * step % stock < step:
            some = Product.objects.in_bulk(chance.sample(ids, 20))
            services.publish_stock({key: one.stock_quantity + 1 for key, one in some.items()})


def _figures(servers: list[str]) -> Counter[tuple[str, str]]:
    """Return the questions by view and outcome, of all app servers together."""
    found: Counter[tuple[str, str]] = Counter()
    for server in servers:
        for labels, value in SAMPLE.findall(httpx.get(f"{server}/metrics", timeout=10).text):
            named = dict(re.findall(r'(\w+)="([^"]*)"', labels))
            found[named["view"], named["outcome"]] += float(value)  # type: ignore[assignment]
    return found


def _table(found: Counter[tuple[str, str]]) -> str:
    outcomes = ("hit", "stale", "negative", "waited", "miss", "bypass")
    lines = ["| view | asked | from Redis | " + " | ".join(outcomes) + " |"]
    lines.append("|---|" + "---:|" * (len(outcomes) + 2))
    for view in (*sorted({view for view, _ in found}), "all"):
        row = {
            outcome: sum(n for (v, o), n in found.items() if o == outcome and view in {v, "all"})
            for outcome in outcomes
        }
        asked = sum(row.values()) or 1
        known = asked - row["miss"] - row["bypass"]
        cells = " | ".join(f"{row[outcome]:,.0f}" for outcome in outcomes)
        lines.append(f"| {view} | {asked:,.0f} | {known / asked:.1%} | {cells} |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
