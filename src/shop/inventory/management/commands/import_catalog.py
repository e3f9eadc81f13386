"""Load a Shopify product export."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import IntegrityError

from shop.catalog.shopify import Export
from shop.catalog.shopify_file import UTF_8, NotShopify, opened
from shop.inventory.importing import Summary, import_rows
from shop.inventory.telling import sentences


class Command(BaseCommand):
    help = (
        "Load the product CSV that Shopify exports: categories, one product per variant, and "
        "stock. Products are recognised by handle and options: importing again brings them to "
        "what the file says, status included. Bad rows are reported with line and reason, the "
        "others are loaded. See docs/shopify.md."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE")
        parser.add_argument("--dry-run", action="store_true", help="tell what would be done")
        parser.add_argument(
            "--archive-removed",
            action="store_true",
            help="take variants off sale that the file no longer has",
        )
        parser.add_argument(
            "--adopt",
            action="store_true",
            help="take products that have no handle for those that imports made by their slug",
        )
        parser.add_argument(
            "--explain", action="store_true", help="name each line that is not sold, and why"
        )
        parser.add_argument(
            "--encoding", default=UTF_8, metavar="NAME", help="UTF-8 unless given, e.g. cp1252"
        )
        parser.add_argument(
            "--delimiter", default=",", type=_delimiter, metavar="SIGN", help="e.g. ';' or tab"
        )
        parser.add_argument(
            "--decimal", default=".", choices=(".", ","), help="what stands before the cents"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["file"]
        try:
            with opened(path, options["encoding"]) as file:
                rows = Export(file, delimiter=options["delimiter"], decimal=options["decimal"])
                summary = import_rows(
                    rows,
                    dry_run=options["dry_run"],
                    archive_removed=options["archive_removed"],
                    adopt=options["adopt"],
                    tell=self._tell,
                )
        except OSError as error:
            raise CommandError(f"{path} cannot be read: {error.strerror}.") from None
        except LookupError:
            raise CommandError(f"There is no encoding {options['encoding']!r}.") from None
        except UnicodeError as error:
            raise CommandError(f"{path} is not {options['encoding']}: {error}.") from None
        except NotShopify as error:
            raise CommandError(f"{path} is no Shopify product export: {error}.") from None
        except IntegrityError as error:
            raise CommandError(
                f"Somebody else changed the catalog meanwhile ({str(error).splitlines()[0]}). "
                "Run the import again: what is loaded already stays as it is."
            ) from error
        self._print(summary, options)

    def _tell(self, done: int, total: int) -> None:
        if done < total:
            self.stderr.write(f"{done} of {total} products …", self.style.NOTICE)

    def _print(self, summary: Summary, options: dict[str, Any]) -> None:
        for line, text in summary.unsold if options["explain"] else ():
            self.stdout.write(f"line {line}: {text}")
        for line, text in sorted(summary.warnings):
            self.stderr.write(f"line {line}: {text}", self.style.WARNING)
        for row in summary.bad:
            self.stderr.write(f"line {row.line}: {row.reason}", self.style.ERROR)
        if options["dry_run"]:
            self.stdout.write("A dry run, nothing is written. It would be:")
        for sentence in sentences(summary, archived=options["archive_removed"]):
            self.stdout.write(sentence)
        if summary.bad:
            rows = "row was" if len(summary.bad) == 1 else "rows were"
            raise CommandError(f"{len(summary.bad)} {rows} not loaded; the reasons stand above.")


def _delimiter(text: str) -> str:
    sign = "\t" if text in ("tab", "\\t") else text
    if len(sign) != 1:
        raise CommandError(f"--delimiter takes one sign, or the word tab, not {text!r}.")
    return sign
