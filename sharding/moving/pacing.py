"""Going no faster than the application can bear: moves wait while its p99 is above a limit.

The unit is a move: one that runs is not paused, because PostgreSQL cannot hold a copy without
keeping its WAL. Between two moves the run waits until the p99 is below the limit.

The p99 comes from requests of our own, or from Prometheus. Where nobody can tell it, the run
waits too, and says why: going on blindly is not what was asked for.
"""

from __future__ import annotations

import json
import math
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from dataclasses import dataclass
from typing import Protocol

from sharding.errors import InvalidInput

WINDOW_SECONDS = 15.0
REQUESTS_PER_SECOND = 4.0
REQUEST_TIMEOUT = 10.0
PROMETHEUS_SECONDS = 2.0
# A p99 of fewer requests is their maximum, and says little.
ENOUGH = 8
QUERY = (
    "histogram_quantile(0.99, sum by (le)"
    " (rate(shardmart_http_request_duration_seconds_bucket[1m])))"
)


@dataclass(frozen=True, kw_only=True)
class Latency:
    """The p99 in milliseconds; None with the reason where nobody can tell."""

    p99_ms: float | None
    reason: str = ""


class Source(Protocol):
    """Where the p99 comes from."""

    def read(self) -> Latency:
        """Return the present p99; never raises, never waits long."""
        ...

    def close(self) -> None:
        """End what runs in the background."""
        ...


class Pacer:
    """Tells whether the next move may begin."""

    def __init__(self, source: Source, *, limit_ms: float) -> None:
        self.limit_ms = limit_ms
        self._source = source

    def read(self) -> Latency:
        """Return the present p99."""
        return self._source.read()

    def allows(self, latency: Latency) -> bool:
        """Whether a move may begin under it."""
        return latency.p99_ms is not None and latency.p99_ms <= self.limit_ms

    def close(self) -> None:
        """End what runs in the background."""
        self._source.close()


class Probe:
    """Requests of our own to one URL, one after another, a few per second.

    A request that fails or is answered with 5xx counts as the timeout: a broken application is
    not a fast one.
    """

    def __init__(self, url: str) -> None:
        _require_http(url)
        self._url = url
        self._seen: deque[tuple[float, float]] = deque()
        self._end = threading.Event()
        threading.Thread(target=self._run, daemon=True, name="probe").start()

    def read(self) -> Latency:
        """Return the p99 of the last seconds."""
        since = time.monotonic() - WINDOW_SECONDS
        values = sorted(took for at, took in list(self._seen) if at >= since)
        if len(values) < ENOUGH:
            return Latency(p99_ms=None, reason=f"{len(values)} of {ENOUGH} probe requests so far")
        return Latency(p99_ms=percentile(values, 0.99) * 1000)

    def close(self) -> None:
        """Send no more requests."""
        self._end.set()

    def _run(self) -> None:
        pause = 1 / REQUESTS_PER_SECOND
        while not self._end.is_set():
            began = time.monotonic()
            good = _answers(self._url)
            now = time.monotonic()
            self._seen.append((now, now - began if good else REQUEST_TIMEOUT))
            while self._seen and self._seen[0][0] < now - WINDOW_SECONDS:
                self._seen.popleft()
            self._end.wait(max(pause - (now - began), 0.05))


class Prometheus:
    """The p99 as Prometheus computes it; the query's answer is in seconds."""

    def __init__(self, url: str, query: str = QUERY) -> None:
        _require_http(url)
        self._url = f"{url.rstrip('/')}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
        self._asked = -math.inf
        self._last = Latency(p99_ms=None)

    def read(self) -> Latency:
        """Ask, at most every few seconds."""
        if time.monotonic() - self._asked >= PROMETHEUS_SECONDS:
            self._last = self._ask()
            self._asked = time.monotonic()
        return self._last

    def close(self) -> None:
        """Nothing runs in the background."""

    def _ask(self) -> Latency:
        try:
            with urllib.request.urlopen(self._url, timeout=3) as answer:  # noqa: S310
                result = json.load(answer)["data"]["result"]
            seconds = float(result[0]["value"][1]) if result else math.nan
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            return Latency(p99_ms=None, reason=f"Prometheus does not say: {error}")
        if math.isnan(seconds):
            return Latency(p99_ms=None, reason="Prometheus has no requests to measure")
        return Latency(p99_ms=seconds * 1000)


def percentile(ordered: list[float], share: float) -> float:
    """Return the nearest-rank percentile of sorted values."""
    return ordered[max(math.ceil(len(ordered) * share) - 1, 0)]


def _answers(url: str) -> bool:
    request = urllib.request.Request(url, headers={"User-Agent": "shardctl"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT) as answer:  # noqa: S310
            answer.read()
    except urllib.error.HTTPError as error:
        # 404 and 429 are answers of a working application.
        return error.code < 500
    except OSError:
        return False
    return True


def _require_http(url: str) -> None:
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise InvalidInput(f"{url} is no http:// or https:// address.")
