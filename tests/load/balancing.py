"""How HAProxy's ways of balancing fare with one slow server and requests of mixed length.

Two servers of a few threads each, of which one is four times as slow; one request in ten is ten
times as long. Requests arrive at random, at a rate that both could take easily, and half of which
is nearly all that the slow one can. Everything is started here: no stack is needed.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import random
import statistics
import tempfile
import time
from dataclasses import dataclass
from multiprocessing.synchronize import Event
from pathlib import Path

from tests.edge import ROOT, free_ports, haproxy

VARIANTS = ("roundrobin", "leastconn", "random(2)")
THREADS = 4  # of each server
SHORT, LONG = 0.005, 0.050  # seconds of work
LONG_SHARE = 0.1
SLOWNESS = 4
RATE = 200  # requests per second; the slow server can take 105, the other 420
FIGURE = ROOT / "docs/figures/balancing.png"


@dataclass
class Round:
    """What one variant did in one round: seconds of each request, and who answered."""

    seconds: list[float]
    by_slow: int
    failed: int


def serve(port: int, slowness: float, ready: Event) -> None:
    """Be an app server: a request occupies one of the threads for as long as its path says."""

    async def main() -> None:
        threads = asyncio.Semaphore(THREADS)

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, ValueError):
                while True:
                    head = (await reader.readuntil(b"\r\n\r\n")).decode()
                    path = head.split(" ", 2)[1]
                    if path != "/health/ready":
                        async with threads:
                            await asyncio.sleep(slowness * float(path.rpartition("/")[2]))
                    body = json.dumps(slowness).encode()
                    writer.write(
                        b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
                    )
                    await writer.drain()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", port)
        ready.set()
        async with server:
            await server.serve_forever()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())


async def load(port: int, *, seconds: float, seed: int) -> Round:
    """Send requests at random moments, whether or not earlier ones were answered."""
    chance, found, tasks = random.Random(seed), Round([], 0, 0), set()

    async def ask(work: float) -> None:
        started = time.monotonic()
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            request = f"GET /takes/{work} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
            writer.write(request.encode())
            answer = await reader.read()
            writer.close()
        except OSError:
            answer = b""
        if b" 200 " not in answer[:20]:
            found.failed += 1
            return
        found.seconds.append(time.monotonic() - started)
        found.by_slow += float(answer.rpartition(b"\r\n\r\n")[2]) > 1

    end = time.monotonic() + seconds
    due = time.monotonic()
    while due < end:
        due += chance.expovariate(RATE)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        task = asyncio.create_task(ask(LONG if chance.random() < LONG_SHARE else SHORT))
        tasks.add(task)
    await asyncio.gather(*tasks)
    return found


def measure(seconds: float, rounds: int) -> dict[str, list[Round]]:
    """Let the variants take turns, each with the same arrivals within a round."""
    ports = free_ports(2)
    ready = [multiprocessing.Event() for _ in ports]
    servers = [
        multiprocessing.Process(target=serve, args=(port, slowness, event), daemon=True)
        for port, slowness, event in zip(ports, (1, SLOWNESS), ready, strict=True)
    ]
    for server, event in zip(servers, ready, strict=True):
        server.start()
        event.wait(10)
    results: dict[str, list[Round]] = {variant: [] for variant in VARIANTS}
    try:
        for number in range(rounds):
            for variant in VARIANTS:
                results[variant].append(_one(ports, variant, seconds, number))
    finally:
        for server in servers:
            server.terminate()
    return results


def _one(ports: list[int], variant: str, seconds: float, seed: int) -> Round:
    addresses = [f"127.0.0.1:{port}" for port in ports]
    chosen = {"BALANCE": variant, "SERVER_MAXCONN": str(2 * THREADS), "LOG_REQUESTS": "off"}
    with (
        tempfile.TemporaryDirectory() as directory,
        haproxy(Path(directory), addresses, **chosen) as edge,
    ):
        return asyncio.run(load(edge.http_port, seconds=seconds, seed=seed))


def table(results: dict[str, list[Round]]) -> str:
    """Return the medians of the rounds as a Markdown table, ratios against round robin."""
    lines = [
        "| balance | mean ms | p50 ms | p95 ms | p99 ms | p99 ratio | slow one's share | failed |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    base = _figures(results[VARIANTS[0]])[3]
    for variant, rounds in results.items():
        mean, p50, p95, p99, share = _figures(rounds)
        failed = sum(one.failed for one in rounds)
        lines.append(
            f"| `{variant}` | {mean:.1f} | {p50:.1f} | {p95:.1f} | {p99:.1f} | {p99 / base:.2f} "
            f"| {share:.0%} | {failed} |"
        )
    return "\n".join(lines)


def _figures(rounds: list[Round]) -> tuple[float, float, float, float, float]:
    def of(one: Round) -> tuple[float, float, float, float, float]:
        cuts = statistics.quantiles([1000 * value for value in one.seconds], n=100)
        mean = 1000 * statistics.mean(one.seconds)
        return mean, cuts[49], cuts[94], cuts[98], one.by_slow / len(one.seconds)

    columns = zip(*(of(one) for one in rounds), strict=True)
    mean, p50, p95, p99, share = (statistics.median(column) for column in columns)
    return mean, p50, p95, p99, share


def plot(results: dict[str, list[Round]]) -> None:
    """Draw how many requests were answered within which time."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(7, 4))
    for variant, rounds in results.items():
        values = sorted(1000 * value for one in rounds for value in one.seconds)
        axes.plot(values, [(n + 1) / len(values) for n in range(len(values))], label=variant)
    axes.set(xscale="log", xlabel="milliseconds", ylabel="share of requests answered")
    axes.set_title("One of two servers four times as slow")
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(FIGURE, dpi=120, bbox_inches="tight")


def main() -> None:
    """Measure, and print the table with the command that made it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10, help="of each variant in a round")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plot", action="store_true", help=f"write {FIGURE.relative_to(ROOT)}")
    chosen = parser.parse_args()
    results = measure(chosen.seconds, chosen.rounds)
    print(f"`make bench-balancing ARGS='--seconds {chosen.seconds:g} --rounds {chosen.rounds}'`\n")
    print(table(results))
    if chosen.plot:
        plot(results)


if __name__ == "__main__":
    main()
