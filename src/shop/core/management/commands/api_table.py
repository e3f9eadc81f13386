"""Renews the tables of docs/api.md."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from shop.core.openapi.table import with_tables


class Command(BaseCommand):
    """``manage.py api_table docs/api.md``"""

    help = "Write the tables of endpoints and error codes into a Markdown file, at their markers."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        path.write_text(with_tables(path.read_text()))
