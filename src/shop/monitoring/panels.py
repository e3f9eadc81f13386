"""The charts of /status/: what each is of, and how Prometheus is asked for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from shop.monitoring import saying
from shop.monitoring.charts import Say

# What customers ask: no checks of machines, no static files, no pages of staff.
ASKED = 'route!~"/(health|metrics|static|admin|shards|status).*"'
REQUESTS = f"shardmart_http_request_duration_seconds_count{{{ASKED}}}"
FAILED = f'shardmart_http_request_duration_seconds_count{{{ASKED},status=~"5.."}}'
BUCKETS = f"shardmart_http_request_duration_seconds_bucket{{{ASKED}}}"
GOOD_READS = 'shardmart_cache_requests_total{outcome=~"hit|stale|negative|waited"}'


def _quantile(quantile: float) -> str:
    return f"histogram_quantile({quantile}, sum by (le) (rate({BUCKETS}[2m])))"


class Wanted(NamedTuple):
    """A line of a panel: what it is called (a label's name in braces), and its query.

    `own` names it among the server's own figures; without, only Prometheus knows it.
    """

    name: str
    query: str
    own: str = ""


@dataclass(frozen=True, kw_only=True)
class Panel:
    """A chart: what it is of, in which unit; the top of its axis, if given, or while all is 0."""

    title: str
    say: Say
    lines: Sequence[Wanted]
    note: str = ""
    most: float | None = None
    least: float = 1.0


PANELS = (
    Panel(
        title="Requests",
        say=saying.rate,
        lines=[Wanted("all", f"sum(rate({REQUESTS}[2m]))", "rate")],
    ),
    Panel(
        title="How long they take",
        say=saying.seconds,
        lines=[
            Wanted("p50", _quantile(0.5), "p50"),
            Wanted("p95", _quantile(0.95), "p95"),
            Wanted("p99", _quantile(0.99), "p99"),
        ],
    ),
    Panel(
        title="Errors",
        note="share of requests that ended in a 5xx",
        say=saying.share,
        least=0.01,
        lines=[
            Wanted(
                "5xx",
                f"(sum(rate({FAILED}[2m])) or vector(0)) / (sum(rate({REQUESTS}[2m])) > 0)",
                "errors",
            )
        ],
    ),
    Panel(
        title="Cache",
        note="share of catalog reads that needed no database",
        say=saying.share,
        most=1.0,
        lines=[
            Wanted(
                "hits",
                f"sum(rate({GOOD_READS}[2m]))"
                " / (sum(rate(shardmart_cache_requests_total[2m])) > 0)",
                "hits",
            )
        ],
    ),
    Panel(
        title="Queues",
        note="tasks that wait",
        say=saying.count,
        lines=[Wanted("{queue}", "max by (queue) (shardmart_queue_depth)")],
    ),
    Panel(
        title="Outbox",
        note="age of the oldest event that is due",
        say=saying.seconds,
        lines=[Wanted("oldest", "max(shardmart_outbox_oldest_seconds)")],
    ),
    Panel(
        title="Databases",
        note="time per statement, by alias",
        say=saying.seconds,
        lines=[
            Wanted(
                "{alias}",
                "sum by (alias) (rate(shardmart_db_query_seconds_total[2m]))"
                " / (sum by (alias) (rate(shardmart_db_queries_total[2m])) > 0)",
            )
        ],
    ),
    Panel(
        title="Tasks",
        note="95 of 100 begin within",
        say=saying.seconds,
        lines=[
            Wanted(
                "{queue}",
                "histogram_quantile(0.95,"
                " sum by (queue, le) (rate(shardmart_task_wait_seconds_bucket[5m])))",
            )
        ],
    ),
)
