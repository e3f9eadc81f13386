"""The figures of requests, and how a process shows its own.

Every label has a bounded set of values: route templates, methods, statuses, aliases, names of
tasks. What has a label is looked up once; from then on counting costs a few microseconds.

With several processes per server each writes into files of its own in PROMETHEUS_MULTIPROC_DIR,
and whoever is asked adds them up. Counts of processes that have ended stay; a server that starts
begins anew (`begin_anew`).
"""

import os
from bisect import bisect_left
from collections import Counter as Tally
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import (
    REGISTRY,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    start_http_server,
)
from prometheus_client.multiprocess import MultiProcessCollector

from sharding.django.work import Spent, Work
from shop.core.afterwards import Answered
from shop.core.errors import problem_response

MULTIPROCESS = "PROMETHEUS_MULTIPROC_DIR"


class BatchHistogram(Histogram):
    """A histogram that takes many values at once, with one write per bucket and not per value."""

    def observe_all(self, values: list[float]) -> None:
        """Count each of these values, as `observe` does."""
        self._sum.inc(sum(values))
        places = Tally(bisect_left(self._upper_bounds, value) for value in values)
        for place, count in places.items():
            self._buckets[place].inc(count)


REQUESTS = BatchHistogram(
    "shardmart_http_request_duration_seconds",
    "How long requests took, from the middleware's beginning to its end.",
    ["route", "method", "status"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
IN_FLIGHT = Gauge(
    "shardmart_http_requests_in_flight",
    "Requests that are being answered.",
    multiprocess_mode="livesum",
)
REQUEST_DB_SECONDS = BatchHistogram(
    "shardmart_http_request_db_seconds",
    "How long one request waited for a database alias in all.",
    ["alias"],
    buckets=(0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
)
QUERIES = Counter(
    "shardmart_db_queries_total",
    "Statements sent, by the route or the task that sent them.",
    ["route", "alias"],
)
QUERY_SECONDS = Counter(
    "shardmart_db_query_seconds_total",
    "Time spent waiting for a database: statements, commits, connecting.",
    ["route", "alias"],
)
SLOW = Counter(
    "shardmart_slow_requests_total",
    "Requests that took longer than SLOW_REQUEST_MS; the log has their queries.",
    ["route"],
)

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

# What labels() would look up under a lock each time.
_duration = cache(REQUESTS.labels)
_in_database = cache(REQUEST_DB_SECONDS.labels)
_queries = cache(QUERIES.labels)
_query_seconds = cache(QUERY_SECONDS.labels)

# The requests that are being answered; the gauge follows when records are noted.
in_flight: set[Work] = set()


def count_requests(records: Iterable[Answered]) -> None:
    """Count answered requests with what they asked of the databases; none or many at once."""
    durations: dict[tuple[str, str, str], list[float]] = {}
    waits: dict[str, list[float]] = {}
    spent: dict[tuple[str, str], Spent] = {}
    for one in records:
        key = (one.route, one.method, str(one.status))
        durations.setdefault(key, []).append(one.seconds)
        for alias, its in one.work.spent.items():
            waits.setdefault(alias, []).append(its.seconds)
            spent.setdefault((one.route, alias), Spent()).add(its)
    for labels, values in durations.items():
        _duration(*labels).observe_all(values)
    for alias, values in waits.items():
        _in_database(alias).observe_all(values)
    for (route, alias), sums in spent.items():
        _count_spent(route, alias, sums)
    IN_FLIGHT.set(len(in_flight))


def count_queries(name: str, work: Work) -> None:
    """Count what a task asked of the databases, by its name."""
    for alias, spent in work.spent.items():
        _count_spent(name, alias, spent)


def _count_spent(name: str, alias: str, spent: Spent) -> None:
    _queries(name, alias).inc(spent.queries)
    _query_seconds(name, alias).inc(spent.seconds)


@never_cache
def show(request: HttpRequest) -> HttpResponse:
    """Answer /metrics with the sums over all processes of this server.

    Straight at the server alone: the public front refuses the path, and what it passes on says for
    whom; no stranger can leave that out.
    """
    if "X-Forwarded-For" in request.headers:
        return problem_response(404, "not_found", "There is nothing at this path.")
    response: HttpResponse = ExportToDjangoView(request)
    return response


def registry() -> CollectorRegistry:
    """Return what has the sums over all processes of this server."""
    if MULTIPROCESS not in os.environ:
        return REGISTRY
    merged = CollectorRegistry()
    MultiProcessCollector(merged)  # type: ignore[no-untyped-call]
    return merged


def serve(bind: str, shown: CollectorRegistry) -> int:
    """Answer /metrics in a thread of this process, for programs that serve nothing else.

    Args:
        bind: an address and a port, e.g. ``127.0.0.1:9401``.
    """
    address, _, port = bind.rpartition(":")
    server, _ = start_http_server(int(port), addr=address, registry=shown)
    return int(server.server_port)


def begin_anew(*, keep: Iterable[int] = ()) -> None:
    """Remove what the processes of an earlier start have left, but for these processes' files."""
    directory = Path(os.environ.get(MULTIPROCESS, "") or os.devnull)
    kept = tuple(f"_{pid}.db" for pid in keep)
    for file in directory.glob("*.db") if directory.is_dir() else ():
        if not file.name.endswith(kept):
            file.unlink(missing_ok=True)
