"""What the page /status/ shows: the last hour, how things stand now, and what is wrong.

From Prometheus where there is one. Otherwise the charts are of this app server alone, and what
belongs to none (outbox, queues, nodes) is read as the exporter reads it.
"""

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings

from sharding.django import readings as cluster
from sharding.django.readings import Reading
from shop.core import readings as core
from shop.monitoring import own_figures, saying
from shop.monitoring.charts import Chart, Say, Series, drawn
from shop.monitoring.nodes import Node, nodes_of
from shop.monitoring.panels import PANELS, Panel, Wanted
from shop.monitoring.prometheus import Alert, Line, Prometheus, Sample, Unreachable

logger = logging.getLogger(__name__)

HOUR, STEP = 3600, 30  # seconds
COUNT = HOUR // STEP + 1


class Drawn(NamedTuple):
    """A panel with its chart."""

    panel: Panel
    chart: Chart


@dataclass(frozen=True, kw_only=True)
class Status:
    """All that the page shows; `alerts` is None where nobody watches."""

    source: str
    trouble: str = ""
    panels: Sequence[Drawn]
    nodes: Sequence[Node]
    figures: Sequence[tuple[str, str]]
    alerts: Sequence[Alert] | None


def status() -> Status:
    """Return how things stand, and stood in the last hour; it takes some seconds at the most."""
    if not settings.PROMETHEUS_URL:
        return _of_this_server()
    try:
        return _of_prometheus(Prometheus(settings.PROMETHEUS_URL))
    except Unreachable as error:
        logger.warning("Prometheus does not answer: %s", error)
        return _of_this_server(trouble="Prometheus does not answer.")


def _of_prometheus(prometheus: Prometheus) -> Status:
    end = float(time.time() // STEP * STEP)
    wanted = [line for panel in PANELS for line in panel.lines]
    found = prometheus.lines(
        (line.query for line in wanted), start=end - HOUR, end=end, step=float(STEP)
    )
    lines = dict(zip(wanted, found, strict=True))
    samples = [
        *prometheus.now('{__name__=~"sharding_.+",job="cluster"}'),
        *prometheus.now('{__name__=~"shardmart_(outbox|dead|stock|queue).+",job="cluster"}'),
    ]
    return Status(
        source="Prometheus, all servers",
        panels=[
            Drawn(panel, _chart(panel, (_named(line, lines[line]) for line in panel.lines), end))
            for panel in PANELS
        ],
        nodes=nodes_of(samples),
        figures=list(_figures(samples)),
        alerts=sorted(prometheus.alerts(), key=lambda alert: (alert.severity, alert.name)),
    )


def _of_this_server(trouble: str = "") -> Status:
    end = time.time()
    own = own_figures.spread(own_figures.taken(), start=end - HOUR, step=float(STEP), count=COUNT)
    panels = [panel for panel in PANELS if any(line.own for line in panel.lines)]
    samples = [*_read(core.outbox), *_read(core.queues)]
    if dsn := settings.SHARD_MONITOR_DSN:
        samples += [*_read(lambda: cluster.nodes(dsn)), *_read(lambda: cluster.shards(dsn))]
    return Status(
        source=f"app server {own_figures.server()} alone",
        trouble=trouble,
        panels=[
            Drawn(
                panel,
                _chart(
                    panel,
                    ([Series(name=line.name, values=own[line.own].values)] for line in panel.lines),
                    end,
                ),
            )
            for panel in panels
        ],
        nodes=nodes_of(samples),
        figures=list(_figures(samples)),
        alerts=None,
    )


def _read(read: Callable[[], Iterable[Reading]]) -> list[Sample]:
    """Read something as the exporter does; nothing if that fails."""
    try:
        return [
            Sample(
                {
                    "__name__": one.figure.name,
                    **dict(zip(one.figure.labels, one.labels, strict=True)),
                },
                one.value,
            )
            for one in read()
        ]
    except Exception as error:  # a page of figures must not fail for one of them
        logger.warning("a figure cannot be read: %s: %s", type(error).__name__, error)
        return []


def _named(wanted: Wanted, lines: Sequence[Line]) -> list[Series]:
    named = [
        Series(name=wanted.name.format_map(_Labels(line.labels)), values=line.values)
        for line in lines
    ]
    return sorted(named, key=lambda series: series.name)


class _Labels(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return "–"


def _chart(panel: Panel, lines: Iterable[Sequence[Series]], end: float) -> Chart:
    series = [one for found in lines for one in found]
    return drawn(
        series, start=end - HOUR, end=end, say=panel.say, most=panel.most, least=panel.least
    )


SINGLE: tuple[tuple[str, str, Say], ...] = (
    ("shardmart_outbox_waiting", "Events waiting", saying.count),
    ("shardmart_outbox_oldest_seconds", "Oldest due", saying.seconds),
    ("shardmart_dead_letters", "Dead letters", saying.count),
    ("shardmart_stock_drift_products", "Products off their books", saying.count),
    ("sharding_heaviest_tenant_share", "Busiest user or product", saying.share),
)


def _figures(samples: Sequence[Sample]) -> Iterable[tuple[str, str]]:
    values = {sample.labels["__name__"]: sample.value for sample in samples}
    waiting = [one.value for one in samples if one.labels["__name__"] == "shardmart_queue_depth"]
    if waiting:
        yield "Tasks waiting", saying.count(sum(waiting))
    for name, title, say in SINGLE:
        if name in values:
            yield title, say(values[name])
