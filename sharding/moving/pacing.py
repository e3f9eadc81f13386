"""Going no faster than the application can bear: moves wait while its p99 is above a limit.

The unit is a move: one that runs is not paused, because PostgreSQL cannot hold a copy without
keeping its WAL. Between two moves the run waits until the p99 is below the limit.

The p99 comes from requests of our own, or from Prometheus. A source that cannot work is refused
before anything begins. One that fails later lets the run wait too, and says why: going on blindly
is not what was asked for. After `max_wait` the run ends.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import math
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import deque
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from sharding.errors import InvalidInput

WINDOW_SECONDS = 15.0
REQUESTS_PER_SECOND = 4.0
REQUEST_TIMEOUT = 10.0
PROMETHEUS_SECONDS = 2.0
# A p99 of fewer requests is their maximum, and says little.
ENOUGH = 8
MAX_WAIT = timedelta(minutes=30)
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

    def trouble(self) -> str:
        """Ask once, and return why it cannot work, as a clause; empty when it can."""
        ...

    def close(self) -> None:
        """End what runs in the background."""
        ...


class Pacer:
    """Tells whether the next move may begin.

    Attributes:
        limit_ms: a move begins while the p99 is at most this.
        max_wait: for how long a run waits for that.
    """

    def __init__(self, source: Source, *, limit_ms: float, max_wait: timedelta = MAX_WAIT) -> None:
        self.limit_ms = limit_ms
        self.max_wait = max_wait
        self._source = source

    def require_source(self) -> None:
        """Refuse a source that cannot work.

        Raises:
            InvalidInput: with what it said.
        """
        if trouble := self._source.trouble():
            self.close()
            raise InvalidInput(f"The p99 cannot be measured: {trouble}. Nothing was changed.")

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

    Where one fails or is answered with 5xx there is no p99: a broken application is not a fast
    one, and not a slow one either.
    """

    def __init__(self, url: str) -> None:
        _require_http(url)
        self._url = url
        self._seen: deque[tuple[float, float, str]] = deque()
        self._end = threading.Event()
        threading.Thread(target=self._run, daemon=True, name="probe").start()

    def read(self) -> Latency:
        """Return the p99 of the last seconds."""
        since = time.monotonic() - WINDOW_SECONDS
        seen = [(took, trouble) for at, took, trouble in list(self._seen) if at >= since]
        failed = [trouble for _, trouble in seen if trouble]
        if failed:
            reason = (
                f"{len(failed)} of {len(seen)} probe requests failed, the last one: {failed[-1]}"
            )
            return Latency(p99_ms=None, reason=reason)
        values = sorted(took for took, _ in seen)
        if len(values) < ENOUGH:
            return Latency(p99_ms=None, reason=f"{len(values)} of {ENOUGH} probe requests so far")
        return Latency(p99_ms=percentile(values, 0.99) * 1000)

    def trouble(self) -> str:
        """Send one request and return why it failed, as a clause."""
        return _trouble(self._url)

    def close(self) -> None:
        """Send no more requests."""
        self._end.set()

    def _run(self) -> None:
        pause = 1 / REQUESTS_PER_SECOND
        while not self._end.is_set():
            began = time.monotonic()
            trouble = _trouble(self._url)
            now = time.monotonic()
            self._seen.append((now, now - began, trouble))
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
        self._failed = True

    def read(self) -> Latency:
        """Ask, at most every few seconds."""
        if time.monotonic() - self._asked >= PROMETHEUS_SECONDS:
            self._last = self._ask()
            self._asked = time.monotonic()
        return self._last

    def trouble(self) -> str:
        """Ask once; that it has seen no requests yet is no trouble."""
        return self.read().reason if self._failed else ""

    def close(self) -> None:
        """Nothing runs in the background."""

    def _ask(self) -> Latency:
        try:
            with urllib.request.urlopen(self._url, timeout=3) as answer:  # noqa: S310
                result = json.load(answer)["data"]["result"]
            seconds = float(result[0]["value"][1]) if result else math.nan
        except (OSError, ValueError, KeyError, IndexError, TypeError) as error:
            self._failed = True
            return Latency(p99_ms=None, reason=f"Prometheus does not say: {_said(error)}")
        self._failed = False
        if math.isnan(seconds):
            return Latency(p99_ms=None, reason="Prometheus has no requests to measure")
        return Latency(p99_ms=seconds * 1000)


def percentile(ordered: list[float], share: float) -> float:
    """Return the nearest-rank percentile of sorted values."""
    return ordered[max(math.ceil(len(ordered) * share) - 1, 0)]


def _trouble(url: str) -> str:
    """Send a request; return why it was not answered, as a clause, empty when it was."""
    request = urllib.request.Request(url, headers={"User-Agent": "shardctl"})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_TIMEOUT) as answer:  # noqa: S310
            answer.read()
    except urllib.error.HTTPError as error:
        # 404 and 429 are answers of a working application.
        return "" if error.code < 500 else f"{url} answers {error.code}"
    except (OSError, http.client.HTTPException) as error:
        return f"{url} does not answer ({_said(error)})"
    return ""


def _said(error: Exception) -> str:
    """Return what an error says; a refused query says more in its body."""
    if isinstance(error, urllib.error.HTTPError):
        with contextlib.suppress(OSError, ValueError):
            return f"{error.code}, {json.load(error)['error']}"
    reason = getattr(error, "reason", None) or error
    return str(getattr(reason, "strerror", None) or reason)


def _require_http(url: str) -> None:
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise InvalidInput(f"{url} is no http:// or https:// address.")
