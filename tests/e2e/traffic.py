"""Customers and readers who never pause, and remember each request that failed."""

import secrets
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from itertools import cycle
from typing import NamedTuple

import httpx

# What a client does by itself: it comes again when told that its first try is being worked on.
IN_PROGRESS = 409


class Failure(NamedTuple):
    """A request that was not answered as it should be."""

    at: float
    request: str
    reason: str


class Answered(NamedTuple):
    """A request that was answered, and the seconds that it took."""

    at: float
    seconds: float


class Traffic:
    """Steady load on a stack: each client sends its next request when the last is answered.

    Readers ask for the catalog without a token. Each buyer, a client with a token, reads, fills
    the cart and orders, every addition and order under an Idempotency-Key of its own.
    """

    def __init__(
        self, url: str, *, product: int, readers: int = 3, buyers: Sequence[httpx.Client] = ()
    ) -> None:
        self.failures: list[Failure] = []
        self.answered: list[Answered] = []
        self.counts: Counter[str] = Counter()
        self._url = url
        self._product = product
        self._stop = threading.Event()
        work: list[Callable[[], None]] = [self._read] * readers
        work += [lambda buyer=buyer: self._buy(buyer) for buyer in buyers]  # type: ignore[misc]
        self._threads = [threading.Thread(target=target, daemon=True) for target in work]

    def __enter__(self) -> "Traffic":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=60)

    def reasons(self) -> list[str]:
        """Return what failed and why, for a message."""
        return [f"{failure.request}: {failure.reason}" for failure in self.failures]

    def wait_for(self, requests: int, *, seconds: float = 60) -> None:
        """Wait until so many more requests have been sent."""
        wanted, deadline = self.counts.total() + requests, time.monotonic() + seconds
        while self.counts.total() < wanted:
            assert time.monotonic() < deadline, f"the load stands still: {self.failures[-3:]}"
            time.sleep(0.05)

    def _read(self) -> None:
        with httpx.Client(base_url=self._url, timeout=60) as client:
            for path in self._paths():
                self._send(client, "GET", path)

    def _paths(self) -> Iterator[str]:
        # A query of its own goes past HAProxy's cache: an app server is asked each time.
        for number, path in enumerate(
            cycle(["/api/products/", f"/api/products/{self._product}/", "/api/categories/"])
        ):
            if self._stop.is_set():
                return
            yield f"{path}?page_size=20&past_the_cache={secrets.token_hex(4)}{number}"

    def _buy(self, buyer: httpx.Client) -> None:
        lines = {"product_id": self._product, "quantity": 1}
        while not self._stop.is_set():
            self._send(buyer, "GET", f"/api/products/{self._product}/")
            self._send(buyer, "POST", "/api/cart/items/", lines, secrets.token_hex(8))
            self._send(buyer, "GET", "/api/cart/")
            self._send(
                buyer, "POST", "/api/orders/", {"payment_method": "card"}, secrets.token_hex(8)
            )

    def _send(
        self,
        client: httpx.Client,
        method: str,
        path: str,
        body: dict[str, object] | None = None,
        key: str = "",
    ) -> None:
        what, headers = f"{method} {path}", {"Idempotency-Key": key} if key else {}
        started, status = time.monotonic(), IN_PROGRESS
        try:
            while status == IN_PROGRESS and time.monotonic() - started < 30:
                answer = client.request(method, path, json=body, headers=headers)
                status = answer.status_code
                if status == IN_PROGRESS and key:
                    time.sleep(0.2)
                elif status >= 400:
                    self.failures.append(Failure(started, what, answer.text[:300]))
                    break
        except httpx.HTTPError as error:
            self.failures.append(Failure(started, what, repr(error)))
        self.counts[method] += 1
        self.answered.append(Answered(started, time.monotonic() - started))
