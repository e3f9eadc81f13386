"""The figures of several PgBouncers, one path each: `/metrics/coordinator`, `/metrics/worker1` …

Debian's prometheus-pgbouncer-exporter asks for a column that PgBouncer gave up in 1.8, and answers
500. The names here are those of prometheus-community's pgbouncer_exporter, which is not packaged,
so that rules and dashboards are the same where containers run that one.

    METRICS_BIND=127.0.0.1:9405 POOLERS='worker1=host=… port=… user=…' \
        python -m monitoring.pgbouncer_exporter

POOLERS holds them with semicolons between; or POOLERS_FILE names a file with a line for each, which
is read at every question: where nodes come and go.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import psycopg2
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

PREFIX = "/metrics/"

MICROSECOND = 1e-6
# By column of SHOW POOLS and SHOW STATS_TOTALS: the name of the metric, its unit, what it says.
POOLS: Mapping[str, tuple[str, float, str]] = {
    "cl_active": ("client_active_connections", 1, "Clients that have a server connection"),
    "cl_waiting": ("client_waiting_connections", 1, "Clients that wait for a server connection"),
    "sv_active": ("server_active_connections", 1, "Server connections lent to a client"),
    "sv_idle": ("server_idle_connections", 1, "Server connections ready to be lent"),
    "sv_used": ("server_used_connections", 1, "Server connections idle for long"),
    "sv_login": ("server_login_connections", 1, "Server connections that are logging in"),
    "maxwait": ("client_maxwait_seconds", 1, "For how long the first in the queue has waited"),
}
TOTALS: Mapping[str, tuple[str, float, str]] = {
    "query_count": ("queries_pooled", 1, "Queries"),
    "query_time": ("queries_duration_seconds", MICROSECOND, "Time spent in queries"),
    "xact_count": ("sql_transactions_pooled", 1, "Transactions"),
    "xact_time": ("server_in_transaction_seconds", MICROSECOND, "Time spent in transactions"),
    "wait_time": ("client_wait_seconds", MICROSECOND, "Time that clients have waited"),
    "bytes_received": ("received_bytes", 1, "Bytes received"),
    "bytes_sent": ("sent_bytes", 1, "Bytes sent"),
}
# By key of SHOW CONFIG.
LIMITS = {
    "max_client_conn": ("max_client_connections", "How many clients are let in"),
    "default_pool_size": ("default_pool_size", "Server connections per user and database"),
}

Row = Mapping[str, Any]


class Pooler:
    """A collector of one PgBouncer; it connects anew each time, so that a restart is no matter."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn

    def collect(self) -> Iterator[Metric]:
        """Yield its metrics; of one that does not answer only that."""
        up = GaugeMetricFamily("pgbouncer_up", "Whether PgBouncer's console answers")
        try:
            shown = self._show("POOLS", "STATS_TOTALS", "CONFIG")
        except psycopg2.Error as error:
            print(" ".join(str(error).split()), file=sys.stderr)
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        pools, totals, config = shown
        yield from _gauges(pools)
        yield from _counters(totals)
        yield from _limits(config)

    def _show(self, *what: str) -> list[list[Row]]:
        connection = psycopg2.connect(
            self._dsn, dbname="pgbouncer", connect_timeout=2, sslmode="disable"
        )
        try:
            # The console knows no transactions.
            connection.autocommit = True
            with connection.cursor() as cursor:
                return [_rows(cursor, f"SHOW {name}") for name in what]
        finally:
            connection.close()


def _rows(cursor: Any, command: str) -> list[Row]:
    cursor.execute(command)
    names = [column.name for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _gauges(pools: Sequence[Row]) -> Iterator[Metric]:
    for column, (name, unit, text) in POOLS.items():
        family = GaugeMetricFamily(f"pgbouncer_pools_{name}", text, labels=["database", "user"])
        for row in pools:
            wait = row["maxwait_us"] * MICROSECOND if column == "maxwait" else 0
            family.add_metric([row["database"], row["user"]], row[column] * unit + wait)
        yield family


def _counters(totals: Sequence[Row]) -> Iterator[Metric]:
    for column, (name, unit, text) in TOTALS.items():
        family = CounterMetricFamily(f"pgbouncer_stats_totals_{name}", text, labels=["database"])
        for row in totals:
            family.add_metric([row["database"]], float(row[column]) * unit)
        yield family


def _limits(config: Sequence[Row]) -> Iterator[Metric]:
    for row in config:
        if row["key"] in LIMITS:
            name, text = LIMITS[row["key"]]
            yield GaugeMetricFamily(f"pgbouncer_config_{name}", text, value=float(row["value"]))


def handler(known: Callable[[], Mapping[str, str]]) -> type[BaseHTTPRequestHandler]:
    """Return what answers a request: one path per pooler, and `/` for a health check.

    Args:
        known: returns the poolers' DSNs by name, asked at each request.
    """

    class Handler(BaseHTTPRequestHandler):
        timeout = 10  # seconds for a whole request: a silent client holds no thread

        def do_GET(self) -> None:
            poolers, name = known(), self.path.removeprefix(PREFIX)
            if self.path == "/":
                self._answer(200, "text/plain", "\n".join([*poolers, ""]).encode())
            elif self.path.startswith(PREFIX) and name in poolers:
                registry = CollectorRegistry()
                registry.register(Pooler(poolers[name]))
                self._answer(200, CONTENT_TYPE_LATEST, generate_latest(registry))
            else:
                self._answer(404, "text/plain", b"There is no such pooler.\n")

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its name there
            """A scrape every few seconds is no news."""

    return Handler


def known_from(environ: Mapping[str, str]) -> Callable[[], Mapping[str, str]]:
    """Return what tells the poolers: POOLERS_FILE, which need not be there yet, or POOLERS."""
    if name := environ.get("POOLERS_FILE"):
        path = Path(name)
        return lambda: _parsed(path.read_text().splitlines() if path.exists() else [])
    poolers = _parsed(environ["POOLERS"].split(";"))
    return lambda: poolers


def _parsed(lines: Sequence[str]) -> Mapping[str, str]:
    return {name: dsn for name, _, dsn in (line.partition("=") for line in lines)}


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    host, _, port = os.environ["METRICS_BIND"].rpartition(":")
    server = ThreadingHTTPServer((host, int(port)), handler(known_from(os.environ)))
    server.daemon_threads = True
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main()
