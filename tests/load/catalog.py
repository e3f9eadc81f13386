"""The list of products: from the database, from Redis, through HAProxy's cache, and bare Django.

It needs a stack that runs (`make up`) for its databases and its Redis; the app servers, of one
gunicorn worker each, and HAProxy with our configuration are its own. The bare views return the same
bytes through the same gunicorn: one behind our middleware (but for the counting in Redis), one in a
Django with none. All take turns, round by round.
"""

import argparse
import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import httpx

from tests.edge import ROOT, free_ports, haproxy

FIGURE = ROOT / "docs/figures/catalog.png"
LIST = "/api/products/"
BARE = "/bare/"
UNCACHED = "view, from the database"
BEHIND = "bare view behind our middleware"
ALONE = "bare view, Django without middleware"
CACHED = "list from Redis"
EDGE = "through HAProxy's cache"
THREADS = "8"  # of the gunicorn worker
CONNECTIONS = 16
STARTS_WITHIN = 60.0  # seconds


@contextlib.contextmanager
def gunicorn(application: str, **variables: str) -> Iterator[str]:
    """Run an application in one gunicorn worker with the stack's settings; yield its address."""
    address = f"127.0.0.1:{free_ports(1)[0]}"
    command = [
        *(str(Path(sys.executable).parent / "gunicorn"), "--config"),
        *(str(ROOT / "db/local/gunicorn_conf.py"), application),
    ]
    environment = {
        **os.environ,
        "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}",
        "APP_BIND": address,
        "APP_WORKERS": "1",
        "APP_THREADS": THREADS,
        **variables,
    }
    with (
        tempfile.TemporaryFile() as log,
        subprocess.Popen(command, env=environment, stdout=log, stderr=log) as process,
    ):
        try:
            _wait_for(address)
            yield address
        finally:
            process.terminate()
            process.wait(timeout=40)


def _wait_for(address: str) -> None:
    end = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < end:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(f"http://{address}/", timeout=5)
            return
        time.sleep(0.2)
    raise SystemExit(f"Nothing answers at {address}: does the stack run (`make up`)?")


@contextlib.contextmanager
def servers() -> Iterator[dict[str, str]]:
    """Start everything; yield the URL of each variant."""
    with contextlib.ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        shop = "shop.config.wsgi:application"
        rates = {"THROTTLE_ANONYMOUS": "1000000000/hour"}
        cached = stack.enter_context(gunicorn(shop, CATALOG_CACHE="on", **rates))
        body = directory / "body"
        body.write_bytes(httpx.get(f"http://{cached}{LIST}").raise_for_status().content)
        known = {"BARE_BODY": str(body)}
        uncached = stack.enter_context(gunicorn(shop, CATALOG_CACHE="off", **rates))
        behind = stack.enter_context(gunicorn("tests.load.bare", BARE="behind", **known))
        alone = stack.enter_context(gunicorn("tests.load.bare", BARE="alone", **known))
        limits = {"RATE_LIMIT": "100000000", "LOG_REQUESTS": "off"}
        edge = stack.enter_context(haproxy(directory, [cached], **limits))
        urls = {
            UNCACHED: f"http://{uncached}{LIST}",
            BEHIND: f"http://{behind}{BARE}",
            ALONE: f"http://{alone}{BARE}",
            CACHED: f"http://{cached}{LIST}",
            EDGE: f"http://127.0.0.1:{edge.http_port}{LIST}",
        }
        for url in urls.values():
            if httpx.get(url).raise_for_status().content != body.read_bytes():
                raise SystemExit(f"{url} answers with other bytes.")
        yield urls


def wrk(url: str, seconds: int) -> float:
    """Return requests per second."""
    command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", url]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in found or "Socket errors" in found:
        raise SystemExit(found)
    return float(re.search(r"Requests/sec:\s+([\d.]+)", found)[1])  # type: ignore[index]


def measure(seconds: int, rounds: int) -> dict[str, list[float]]:
    """Let the variants take turns; return requests per second of each round."""
    with servers() as urls:
        for url in urls.values():
            wrk(url, 1)
        found: dict[str, list[float]] = {name: [] for name in urls}
        for _ in range(rounds):
            for name, url in urls.items():
                found[name].append(wrk(url, seconds))
    return found


def table(found: dict[str, list[float]]) -> str:
    """Return the medians and their ratios as a Markdown table."""
    middle = {name: median(values) for name, values in found.items()}
    heads = "answered by|requests/s|lowest – highest|× database|× Redis|× behind|× alone"
    lines = [f"| {heads.replace('|', ' | ')} |", "|---|---:|---:|---:|---:|---:|---:|"]
    for name, value in middle.items():
        ratios = " | ".join(
            f"{value / middle[base]:.2f}" for base in (UNCACHED, CACHED, BEHIND, ALONE)
        )
        span = f"{min(found[name]):,.0f} – {max(found[name]):,.0f}"
        lines.append(f"| {name} | {value:,.0f} | {span} | {ratios} |")
    return "\n".join(lines)


def plot(found: dict[str, list[float]]) -> None:
    """Draw the medians."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8, 3))
    names = list(found)[::-1]
    bars = axes.barh(names, [median(found[name]) for name in names])
    axes.bar_label(bars, fmt="{:,.0f}", padding=3)
    axes.set(xscale="log", xlabel="requests per second", title="The list of products, one worker")
    axes.margins(x=0.2)
    figure.savefig(FIGURE, dpi=120, bbox_inches="tight")


def main() -> None:
    """Measure, and print the table with the command that made it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=8, help="of each variant in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plot", action="store_true", help=f"write {FIGURE.relative_to(ROOT)}")
    chosen = parser.parse_args()
    found = measure(chosen.seconds, chosen.rounds)
    print(
        f"`make bench-catalog ARGS='--seconds {chosen.seconds} --rounds {chosen.rounds}'`, ", end=""
    )
    print(f"{CONNECTIONS} connections, {os.cpu_count()} cores\n")
    print(table(found))
    if chosen.plot:
        plot(found)


if __name__ == "__main__":
    main()
