"""One process that reads what no app server may read at a scrape, and shows what it last found.

The figures of the cluster, the outbox, the queues and the books cost queries over all shards. They
are read every settings.METRICS_REFRESH by this process alone, each with a short timeout, whoever
asks how often. A collector that fails shows nothing but that it failed: no figure outlives its
truth.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from django.conf import settings
from django.db import close_old_connections, connections
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector as RegistryCollector

from sharding.django import readings as cluster
from sharding.django.readings import Figure, Reading
from shop.core import readings as core
from shop.inventory import readings as inventory
from shop.payments import readings as payments

logger = logging.getLogger(__name__)

UP = Figure("shardmart_collector_up", "1 if the last reading went well, else 0.", ("collector",))
SECONDS = Figure("shardmart_collector_seconds", "How long the last one took.", ("collector",))
LAST_SUCCESS = Figure(
    "shardmart_collector_last_success_timestamp_seconds",
    "When a reading last went well.",
    ("collector",),
)


class Collector(NamedTuple):
    """Something that is read, every so many turns."""

    name: str
    read: Callable[[], Iterable[Reading]]
    turns: int = 1


def collectors() -> list[Collector]:
    """Return everything that is read; the books are read whole, and so less often."""
    monitor = settings.SHARD_MONITOR_DSN
    return [
        Collector("outbox", core.outbox),
        Collector("queues", core.queues),
        Collector("beat", core.beat),
        Collector("stock", inventory.drift, turns=4),
        Collector("refunds", payments.refunds_due, turns=4),
        *(
            [
                Collector("nodes", lambda: cluster.nodes(monitor)),
                Collector("shards", lambda: cluster.shards(monitor)),
                Collector("tenants", lambda: cluster.tenants(monitor)),
            ]
            if monitor
            else []
        ),
    ]


class Exporter(RegistryCollector):
    """What was last read, as Prometheus asks for it."""

    def __init__(self, collectors: Iterable[Collector]) -> None:
        self._collectors = list(collectors)
        self._found: dict[str, list[Reading]] = {}
        self._about: dict[str, dict[Figure, float]] = {one.name: {} for one in self._collectors}
        self._turn = 0

    def turn(self) -> None:
        """Read all that is due in this turn."""
        for collector in self._collectors:
            if self._turn % collector.turns == 0:
                self._read(collector)
        self._turn += 1

    def run(self, stop: threading.Event) -> None:
        """Read again and again until told to stop."""
        pause = settings.METRICS_REFRESH.total_seconds()
        while not stop.is_set():
            began = time.monotonic()
            close_old_connections()
            self.turn()
            stop.wait(max(pause - (time.monotonic() - began), 0.1))

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield what was last found, by figure."""
        by_figure: dict[Figure, list[Reading]] = {}
        for reading in self._all():
            by_figure.setdefault(reading.figure, []).append(reading)
        for figure, found in by_figure.items():
            family = GaugeMetricFamily(figure.name, figure.help, labels=figure.labels)
            for reading in found:
                family.add_metric(reading.labels, reading.value)
            yield family

    def _all(self) -> Iterator[Reading]:
        for found in list(self._found.values()):
            yield from found
        for name, about in self._about.items():
            for figure, value in list(about.items()):
                yield Reading(figure, value, (name,))

    def _read(self, collector: Collector) -> None:
        began, about = time.monotonic(), self._about[collector.name]
        try:
            self._found[collector.name] = list(collector.read())
        except Exception as error:  # one that fails must not silence the others
            self._found[collector.name] = []
            if about.get(UP) != 0:  # once, not at every turn
                said = f"{type(error).__name__}: {error}"
                logger.warning("the figures of %s cannot be read: %s", collector.name, said)
            about[UP] = 0
            connections.close_all()
        else:
            about[UP] = 1
            about[LAST_SUCCESS] = time.time()
        about[SECONDS] = time.monotonic() - began


def registry(exporter: Exporter) -> CollectorRegistry:
    """Return a registry with these figures alone, none of the requests that are not made here."""
    own = CollectorRegistry(auto_describe=False)
    own.register(exporter)
    return own
