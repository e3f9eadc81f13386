"""The figures of the app server that is asked, for when there is no Prometheus.

They begin when the server does, and there is a point for each time that the page was looked at:
the page asks again by itself. They say nothing of the other app servers.
"""

import os
import socket
import time
from collections.abc import Iterable, Iterator, Mapping
from itertools import pairwise
from typing import Any

from django.core.cache import cache
from prometheus_client.metrics_core import Metric

from shop.core import metrics
from shop.monitoring.prometheus import Line

APART = 10.0  # seconds between two points
KEPT = 3600  # seconds
OURS = ("/health", "/metrics", "/static", "/admin", "/shards", "/status")  # no customer's

Totals = dict[str, float]


def server() -> str:
    """Return what this app server is called."""
    return os.environ.get("APP_BIND") or f"{socket.gethostname()}, process {os.getpid()}"


def taken() -> list[tuple[float, Totals]]:
    """Take a point if the last one is old enough; return those of the last hour."""
    key, now = f"monitoring:points:{server()}", time.time()
    points: list[tuple[float, Totals]] = cache.get(key) or []
    points = [(moment, totals) for moment, totals in points if moment > now - KEPT]
    if not points or now - points[-1][0] >= APART:
        points.append((now, totals_of(metrics.registry().collect())))
        cache.set(key, points, timeout=KEPT)
    return points


def totals_of(families: Iterable[Metric]) -> Totals:
    """Return the sums that the charts are made of: requests, errors, cache, `le …` per bucket."""
    totals: Totals = {"requests": 0, "errors": 0, "asked": 0, "hits": 0}
    for name, labels, value in _samples(families):
        if labels.get("route", "").startswith(OURS):
            continue
        if name == "shardmart_http_request_duration_seconds_bucket":
            bucket = f"le {labels['le']}"
            totals[bucket] = totals.get(bucket, 0) + value
        elif name == "shardmart_http_request_duration_seconds_count":
            totals["requests"] += value
            totals["errors"] += value if labels["status"].startswith("5") else 0
        elif name == "shardmart_cache_requests_total":
            totals["asked"] += value
            totals["hits"] += (
                value if labels["outcome"] in {"hit", "stale", "negative", "waited"} else 0
            )
    return totals


def _samples(families: Iterable[Metric]) -> Iterator[tuple[str, Mapping[str, str], float]]:
    for family in families:
        for sample in family.samples:
            yield sample.name, sample.labels, sample.value


def spread(
    points: list[tuple[float, Totals]], *, start: float, step: float, count: int
) -> dict[str, Line]:
    """Return what happened between neighbouring points, put to the steps of a chart."""
    lines: dict[str, list[float | None]] = {name: [None] * count for name in ("rate", *RATIOS)}
    for quantile in QUANTILES:
        lines[f"p{quantile * 100:.0f}"] = [None] * count
    for (before, old), (moment, new) in pairwise(points):
        place = round((moment - start) / step)
        grown = {name: value - old.get(name, 0.0) for name, value in new.items()}
        if not 0 <= place < count or grown["requests"] < 0:  # the server began anew
            continue
        lines["rate"][place] = grown["requests"] / (moment - before)
        for name, (part, whole) in RATIOS.items():
            lines[name][place] = grown[part] / grown[whole] if grown[whole] else None
        for quantile in QUANTILES:
            lines[f"p{quantile * 100:.0f}"][place] = quantile_of(grown, quantile)
    return {name: Line({}, values) for name, values in lines.items()}


RATIOS = {"errors": ("errors", "requests"), "hits": ("hits", "asked")}
QUANTILES = (0.5, 0.95, 0.99)


def quantile_of(grown: Mapping[str, Any], quantile: float) -> float | None:
    """Return a quantile from the counts per bucket, as Prometheus's histogram_quantile does."""
    buckets = sorted(
        (float(name.removeprefix("le ")), value)
        for name, value in grown.items()
        if name.startswith("le ")
    )
    if not buckets or buckets[-1][1] <= 0:
        return None
    wanted = quantile * buckets[-1][1]
    lower, below = 0.0, 0.0
    for bound, count in buckets:
        if count >= wanted:
            inside = (wanted - below) / (count - below) if count > below else 1.0
            return lower if bound == float("inf") else lower + (bound - lower) * inside
        lower, below = bound, count
    return None
