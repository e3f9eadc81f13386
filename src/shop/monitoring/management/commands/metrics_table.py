"""Renews the table of docs/monitoring.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from shop.monitoring.table import with_table


class Command(BaseCommand):
    """``manage.py metrics_table docs/monitoring.md``"""

    help = "Write the table of metrics into a Markdown file, at its markers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        path.write_text(with_table(path.read_text()))
