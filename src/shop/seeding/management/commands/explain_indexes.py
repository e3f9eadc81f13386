"""Show what each index is worth, as the Markdown of docs/db_optimization.md."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sharding.django.router import COORDINATOR
from shop.core.errors import NotFound
from shop.seeding.explaining import Comparison, compare, sample


class Command(BaseCommand):
    help = (
        "Print the plan of each API query with its index and without it, as Markdown. The indexes "
        "are dropped in transactions that are rolled back: run it on a store that nobody uses."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        alias = COORDINATOR if COORDINATOR in settings.DATABASES else "default"
        try:
            chosen = sample()
        except NotFound as error:
            raise CommandError(error.detail) from None
        comparisons = list(compare(alias, chosen))
        self.stdout.write("| table | index | serves | 8 kB pages read with it | without it |")
        self.stdout.write("|---|---|---|---:|---:|")
        for each in comparisons:
            self.stdout.write(
                f"| `{each.case.table}` | `{each.case.index}` | {each.case.serves} "
                f"| {each.blocks_with:,} | {each.blocks_without:,} |"
            )
        for each in comparisons:
            self._write_plans(each)

    def _write_plans(self, each: Comparison) -> None:
        self.stdout.write(f"\n### {each.case.index}\n\n```sql\n{each.query}\n```\n")
        self.stdout.write(f"With it:\n\n```text\n{each.plan_with}\n```\n")
        self.stdout.write(f"Without it:\n\n```text\n{each.plan_without}\n```")
