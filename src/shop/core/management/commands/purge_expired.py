"""Remove what has had its time: idempotency keys, refresh tokens, recorded webhook events."""

from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone

from shop.core.purging import count_expired, perishable, purge

MAX_BATCH = 10_000


def _batch_size(text: str) -> int:
    if text.isascii() and text.isdecimal() and 1 <= int(text[:9]) <= MAX_BATCH:
        return int(text)
    raise ArgumentTypeError(f"a number from 1 to {MAX_BATCH} is needed")


class Command(BaseCommand):
    help = (
        "Remove expired idempotency keys, refresh tokens and recorded webhook events. Asks every "
        "shard; may run at any time, and be stopped at any time. Run it daily."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="count, and remove nothing")
        parser.add_argument(
            "--batch-size", type=_batch_size, default=1000, help="rows per transaction (1000)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        now = timezone.now()
        for model in perishable():
            if options["dry_run"]:
                rows, verb = count_expired(model, now=now), "would be removed"
            else:
                rows, verb = sum(purge(model, now=now, batch_size=options["batch_size"])), "removed"
            self.stdout.write(f"{model._meta.verbose_name_plural}: {rows} {verb}")
