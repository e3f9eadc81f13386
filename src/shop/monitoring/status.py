"""What the page /status/ shows: what is wrong, how things stand now, and stood in the last hour.

From Prometheus where there is one. Otherwise the charts are of this app server alone, and what
belongs to none (outbox, queues, nodes) is read as the exporter reads it.

Invariant: the page is made within SECONDS, whatever does not answer. Each part of it stands for
itself: one that was not answered in time shows the last good answer with its moment, or says so.
"""

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from django.conf import settings

from sharding.django import readings as cluster
from sharding.django.readings import Reading
from shop.core import readings as core
from shop.monitoring import memory, own_figures, saying
from shop.monitoring.charts import Chart, Say, Series, drawn
from shop.monitoring.deadline import Deadline, gathered
from shop.monitoring.memory import Known
from shop.monitoring.nodes import Node, nodes_of
from shop.monitoring.panels import PANELS, Panel, Wanted
from shop.monitoring.prometheus import Alert, Line, Prometheus, Sample

SECONDS = 4.0  # that the page may take; what is late is not waited for
PROMETHEUS_SECONDS = 3.0  # of them; the rest is for what this server can say by itself
HOUR, STEP = 3600, 30  # seconds
COUNT = HOUR // STEP + 1
ALERTS, NOW = "alerts", "now"  # the parts of the page that are no panels
OF_NOW = (
    '{__name__=~"sharding_.+",job="cluster"}',
    '{__name__=~"shardmart_(outbox|dead|stock|queue).+",job="cluster"}',
)
SILENT = "Prometheus does not answer."

Questions = dict[tuple[str, int], Callable[[], Any]]


class Drawn(NamedTuple):
    """A panel with its chart; `of` is the moment of one that is not of now, e.g. 15:31."""

    panel: Panel
    chart: Chart | None  # None: not answered in time
    of: str = ""


@dataclass(frozen=True, kw_only=True)
class Status:
    """All that the page shows.

    Attributes:
        watched: whether there is a Prometheus.
        alerts: None where it is not known which fire; `alerts_of` as in Drawn.
        now_of: the same of nodes and figures.
    """

    source: str
    watched: bool = True
    trouble: str = ""
    alerts: Sequence[Alert] | None = None
    alerts_of: str = ""
    panels: Sequence[Drawn]
    nodes: Sequence[Node]
    figures: Sequence[tuple[str, str]]
    now_of: str = ""
    own: bool = False  # the charts are of this app server alone


def status() -> Status:
    """Return how things stand, and stood in the last hour."""
    deadline = Deadline(SECONDS)
    if not settings.PROMETHEUS_URL:
        return _of_this_server(deadline, watched=False)
    end = float(time.time() // STEP * STEP)
    questions = _questions(Prometheus(settings.PROMETHEUS_URL), end)
    found, late = gathered(questions, Deadline(PROMETHEUS_SECONDS))
    known = memory.completed(_whole(found, questions), end)
    if not known:
        return _of_this_server(deadline, trouble=SILENT)
    return _of_prometheus(known, late, len(questions))


def _questions(prometheus: Prometheus, end: float) -> Questions:
    """Return what is asked, by the part of the page that it is for; the alerts come first."""
    over = partial(prometheus.lines, start=end - HOUR, end=end, step=float(STEP))
    return {
        (ALERTS, 0): prometheus.alerts,
        **{(NOW, n): partial(prometheus.now, query) for n, query in enumerate(OF_NOW)},
        **{
            (panel.title, n): partial(over, line.query)
            for panel in PANELS
            for n, line in enumerate(panel.lines)
        },
    }


def _whole(found: Mapping[tuple[str, int], Any], asked: Iterable[tuple[str, int]]) -> Any:
    """Return the answers by part; a part of which one is missing is left out."""
    parts: dict[str, list[Any]] = {}
    for part, number in asked:
        parts.setdefault(part, []).append(found.get((part, number)))
    return {part: answers for part, answers in parts.items() if None not in answers}


def _of_prometheus(known: Mapping[str, Known], late: int, asked: int) -> Status:
    trouble = f"Prometheus answered {asked - late} of {asked} questions in time." if late else ""
    samples = [one for each in known[NOW].value for one in each] if NOW in known else []
    alerts = known[ALERTS].value[0] if ALERTS in known else None
    return Status(
        source="Prometheus, all servers",
        trouble=SILENT if late == asked else trouble,
        alerts=alerts and sorted(alerts, key=lambda alert: (alert.severity, alert.name)),
        alerts_of=_moment(known.get(ALERTS)),
        panels=[_drawn(panel, known.get(panel.title)) for panel in PANELS],
        nodes=nodes_of(samples),
        figures=list(_figures(samples)),
        now_of=_moment(known.get(NOW)),
    )


def _drawn(panel: Panel, known: Known | None) -> Drawn:
    if known is None:
        return Drawn(panel, None)
    lines = (_named(*pair) for pair in zip(panel.lines, known.value, strict=True))
    return Drawn(panel, _chart(panel, lines, known.moment), _moment(known))


def _moment(known: Known | None) -> str:
    """Return the moment of what is not of now, in UTC as the charts have it."""
    if known is None or known.new:
        return ""
    return f"{datetime.fromtimestamp(known.moment, UTC):%H:%M}"


def _of_this_server(deadline: Deadline, *, watched: bool = True, trouble: str = "") -> Status:
    end = time.time()
    own = own_figures.spread(own_figures.taken(), start=end - HOUR, step=float(STEP), count=COUNT)
    panels = [panel for panel in PANELS if any(line.own for line in panel.lines)]
    reading: dict[str, Callable[[], list[Sample]]] = {
        "the outbox": partial(_samples, core.outbox),
        "the queues": partial(_samples, core.queues),
    }
    if dsn := settings.SHARD_MONITOR_DSN:
        reading["the nodes"] = partial(_samples, partial(cluster.nodes, dsn))
        reading["the shards"] = partial(_samples, partial(cluster.shards, dsn))
    read, _ = gathered(reading, deadline)
    samples = [one for name in reading for one in read.get(name, [])]
    missing = [name for name in reading if name not in read]
    late = f" Not read in time: {', '.join(missing)}." if missing else ""
    return Status(
        source=f"app server {own_figures.server()} alone",
        watched=watched,
        own=True,
        trouble=f"{trouble}{late}".strip(),
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
    )


def _samples(read: Callable[[], Iterable[Reading]]) -> list[Sample]:
    """Return what is read as the exporter reads it, in the form of what Prometheus answers."""
    return [
        Sample(
            {"__name__": one.figure.name, **dict(zip(one.figure.labels, one.labels, strict=True))},
            one.value,
        )
        for one in read()
    ]


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
    ("shardmart_due_refunds_oldest_seconds", "Oldest refund due", saying.seconds),
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
