"""Load a Shopify product export."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from shop.catalog.shopify import NotShopify, read
from shop.inventory.importing import Summary, import_rows


class Command(BaseCommand):
    help = (
        "Load the product CSV that Shopify exports: categories, one product per variant, and "
        "stock. Products are recognised by handle and options: importing again brings them to "
        "what the file says. Bad rows are reported with line and reason, the others are loaded. "
        "Drafts, archived and unpublished products are left out."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
                summary = import_rows(read(file))
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        except NotShopify as error:
            raise CommandError(f"{path} is no Shopify product export: {error}.") from None
        except IntegrityError as error:
            raise CommandError(
                f"Somebody else changed the catalog meanwhile ({str(error).splitlines()[0]}). "
                "Run the import again: what is loaded already stays as it is."
            ) from error
        self._print(summary)

    def _print(self, summary: Summary) -> None:
        for row in summary.bad:
            self.stderr.write(f"line {row.line}: {row.reason}", self.style.WARNING)
        self.stdout.write(
            f"{summary.loaded} products: {summary.created} created, {summary.updated} updated, "
            f"{summary.unchanged} unchanged; stock set for {summary.restocked}."
        )
        if summary.uncounted:
            self.stdout.write(
                f"{summary.uncounted} without a quantity: their stock was left as it is."
            )
        if summary.hidden:
            self.stdout.write(f"{summary.hidden} drafts, archived or unpublished: left out.")
        if summary.bad:
            rows = "row was" if len(summary.bad) == 1 else "rows were"
            raise CommandError(f"{len(summary.bad)} {rows} not loaded; the reasons stand above.")
