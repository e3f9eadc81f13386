"""The exporter of what belongs to no single process: cluster, outbox, queues, books."""

import os
import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from prometheus_client import generate_latest

from shop.core import metrics
from shop.monitoring.exporter import Exporter, collectors, registry


class Command(BaseCommand):
    """Reads the figures every METRICS_REFRESH_SECONDS and shows them at /metrics; see --once."""

    help = __doc__ or ""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="print the figures and end")
        parser.add_argument(
            "--bind",
            default=os.environ.get("METRICS_BIND", "127.0.0.1:9400"),
            help="where to answer /metrics (METRICS_BIND)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        exporter = Exporter(collectors())
        if options["once"]:
            exporter.turn()
            self.stdout.write(generate_latest(registry(exporter)).decode())
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        port = metrics.serve(options["bind"], registry(exporter))
        self.stderr.write(f"Figures are shown on port {port}.")
        exporter.run(stop)
