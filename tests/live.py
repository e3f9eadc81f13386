"""Shoppers who go on shopping while somebody works on the cluster, and who keep books.

    with Shoppers(url, product=product) as shoppers:
        with shoppers.during("rebalance"):
            shardctl("rebalance")
    shoppers.failures, shoppers.phases, shoppers.books

A client sends each request once, and nothing is tried again: whatever is not answered as it
should be is a failure.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import secrets
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "correct horse battery staple"


class Answer(NamedTuple):
    """A request that was answered: when it was sent, what it was, and how long it took."""

    at: float
    request: str
    seconds: float


class Failure(NamedTuple):
    """A request that failed, during which phase, and why."""

    at: float
    phase: str
    request: str
    reason: str


class Phase(NamedTuple):
    """Something that was done meanwhile, and the answers to what was sent during it."""

    name: str
    begun: float
    ended: float
    answers: list[Answer]

    def percentile(self, percent: float) -> float:
        """Return a percentile of the answers' times in milliseconds."""
        times = sorted(answer.seconds for answer in self.answers)
        return 1000 * times[min(len(times) - 1, int(len(times) * percent / 100))] if times else 0.0

    @property
    def median(self) -> float:
        """In milliseconds."""
        return 1000 * statistics.median(a.seconds for a in self.answers) if self.answers else 0.0


@dataclass
class Books:
    """What the shop has accepted, as the clients were told."""

    orders: dict[str, list[str]] = field(default_factory=dict)  # by user
    names: list[str] = field(default_factory=list)
    sold: int = 0


class Shoppers:
    """Buyers, a reader of the catalog, and people who register, all without a pause.

    Args:
        url: the public front.
        product: what is bought, of which there is enough.
        buyers: how many buy at the same time.
    """

    def __init__(self, url: str, *, product: int, buyers: int = 4) -> None:
        self.url = url
        self.books = Books()
        self.failures: list[Failure] = []
        self.answers: list[Answer] = []
        self._phase = "before"
        self._marks: list[tuple[str, float, float]] = []
        self._product = product
        self._lock = threading.Lock()
        self._over = threading.Event()
        with httpx.Client(base_url=url, timeout=60) as client:
            self.buyers = [self._register(client) for _ in range(buyers)]
        work: list[Callable[[], None]] = [self._read, self._sign_people_up]
        work += [lambda buyer=buyer: self._buy(*buyer) for buyer in self.buyers]  # type: ignore[misc]
        self._threads = [threading.Thread(target=each, daemon=True) for each in work]

    def __enter__(self) -> Shoppers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(timeout=90)
        assert not any(thread.is_alive() for thread in self._threads), "a shopper hangs"

    @contextlib.contextmanager
    def during(self, name: str) -> Iterator[None]:
        """Count what is sent from here to the end of the block as of this phase."""
        self._phase, begun = name, time.monotonic()
        try:
            yield
        finally:
            self._marks.append((name, begun, time.monotonic()))
            self._phase = f"after {name}"

    def idle(self, name: str, *, seconds: float) -> None:
        """Have a phase in which nothing is done but shopping."""
        with self.during(name):
            time.sleep(seconds)

    @property
    def phases(self) -> list[Phase]:
        """The phases so far, in their order."""
        return [
            Phase(name, begun, ended, [a for a in self.answers if begun <= a.at < ended])
            for name, begun, ended in self._marks
        ]

    def table(self) -> str:
        """Return the phases as a Markdown table."""
        lines = [
            "| phase | seconds | requests | a second | median ms | p99 ms | longest ms | failed |",
            "|---|---:|---:|---:|---:|---:|---:|---:|",
        ]
        for phase in self.phases:
            lasted, count = phase.ended - phase.begun, len(phase.answers)
            failed = sum(phase.begun <= f.at < phase.ended for f in self.failures)
            lines.append(
                f"| {phase.name} | {lasted:.1f} | {count} | {count / lasted:.0f} |"
                f" {phase.median:.0f} | {phase.percentile(99):.0f} | {phase.percentile(100):.0f} |"
                f" {failed} |"
            )
        return "\n".join(lines)

    # What each of them does.

    def _read(self) -> None:
        paths = ("/api/products/", f"/api/products/{self._product}/", "/api/categories/")
        with httpx.Client(base_url=self.url, timeout=60) as client:
            for number in itertools.count():
                if self._over.is_set():
                    return
                # Past HAProxy's cache: an app server is asked each time.
                self._send(client, "GET", f"{paths[number % 3]}?unseen={secrets.token_hex(4)}")
                time.sleep(0.02)

    def _sign_people_up(self) -> None:
        with httpx.Client(base_url=self.url, timeout=60) as client:
            while not self._over.is_set():
                self._register(client)
                time.sleep(0.5)

    def _buy(self, user: str, token: str) -> None:
        line = {"product_id": self._product, "quantity": 1}
        headers = {"Authorization": f"Bearer {token}"}
        with httpx.Client(base_url=self.url, timeout=60, headers=headers) as client:
            while not self._over.is_set():
                self._send(client, "POST", "/api/wishlist/items/", {"product_id": self._product})
                if not self._send(client, "POST", "/api/cart/items/", line):
                    continue
                self._send(client, "GET", "/api/cart/")
                order = self._send(client, "POST", "/api/orders/", {"payment_method": "card"})
                if order:
                    with self._lock:
                        self.books.orders.setdefault(user, []).append(order["id"])
                        self.books.sold += sum(item["quantity"] for item in order["items"])
                    self._send(client, "GET", f"/api/orders/{order['id']}/")
                self._send(client, "GET", "/api/orders/")

    def _register(self, client: httpx.Client) -> tuple[str, str]:
        name = f"live-{secrets.token_hex(8)}"
        person = {"username": name, "email": f"{name}@example.com", "password": PASSWORD}
        answer = self._send(client, "POST", "/api/auth/register/", person)
        if not answer:
            return "", ""
        with self._lock:
            self.books.names.append(name)
        return str(answer["user"]["id"]), str(answer["access"])

    def _send(
        self, client: httpx.Client, method: str, path: str, body: dict[str, Any] | None = None
    ) -> Any:
        """Send a request once; return the answer's body, None when it failed."""
        at, what = time.monotonic(), f"{method} {path.partition('?')[0]}"
        headers = {"Idempotency-Key": secrets.token_hex(8)} if method == "POST" else {}
        try:
            answer = client.request(method, path, json=body, headers=headers)
        except httpx.HTTPError as error:
            self.failures.append(Failure(at, self._phase, what, repr(error)))
            return None
        self.answers.append(Answer(at, what, time.monotonic() - at))
        if answer.status_code >= 400:
            reason = f"{answer.status_code} {answer.text[:300]}"
            self.failures.append(Failure(at, self._phase, what, reason))
            return None
        return answer.json()


def shardctl(*arguments: str, dsn: str) -> str:
    """Run `shardctl --yes`; return what it printed."""
    finished = subprocess.run(
        [sys.executable, "-m", "sharding", "--yes", *arguments],
        cwd=ROOT,
        env={**os.environ, "SHARDCTL_DSN": dsn, "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    said = f"shardctl {' '.join(arguments)} ends with {finished.returncode}:\n{finished.stdout}"
    assert finished.returncode == 0, said + finished.stderr
    return finished.stdout
