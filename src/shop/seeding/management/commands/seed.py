"""Fill the store with believable data."""

from argparse import ArgumentTypeError
from datetime import UTC, date, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from shop.seeding.errors import AlreadySeeded, SeedingError
from shop.seeding.plan import DEFAULT_UNTIL, Plan
from shop.seeding.services import DEMO_PASSWORD, Report, seed


class Command(BaseCommand):
    help = (
        "Fill the store with believable data, all or nothing: categories, products with stock, "
        "users, orders with their history and payments, reviews, wishlists and open carts. "
        "The same arguments give the same rows. Every user's password is "
        f"{DEMO_PASSWORD!r}; production refuses it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--products", type=int, default=2_000, help="default: %(default)s")
        parser.add_argument("--users", type=int, default=500, help="default: %(default)s")
        parser.add_argument("--orders", type=int, default=5_000, help="default: %(default)s")
        parser.add_argument(
            "--seed",
            type=int,
            default=1,
            help="another number adds other rows; default: %(default)s",
        )
        parser.add_argument(
            "--until",
            type=_day,
            default=DEFAULT_UNTIL,
            metavar="YYYY-MM-DD",
            help="the day on which the two years of made-up history end; default: %(default)s",
        )

        parser.add_argument(
            "--once",
            action="store_true",
            help="be content when the same seed is there already: for jobs that are repeated",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        plan = Plan(**{name: options[name] for name in Plan.__dataclass_fields__})
        if problem := plan.problem(today=datetime.now(UTC).date()):
            raise CommandError(problem)
        quiet = options["verbosity"] == 0
        try:
            with tqdm(
                total=plan.products + plan.users + plan.orders,
                # None: only when standard error is a terminal.
                disable=True if quiet else None,
                unit="",
                desc="seeding",
            ) as bar:
                report = seed(plan, advance=bar.update)
        except AlreadySeeded as error:
            if not options["once"]:
                raise CommandError(str(error)) from error
            self.stdout.write(f"The rows of --seed {plan.seed} are there already.")
            return
        except SeedingError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            raise CommandError("Stopped. Nothing was changed.") from None
        if not quiet:
            self._print(report)

    def _print(self, report: Report) -> None:
        for table, count in report.rows.items():
            self.stdout.write(f"{table:<24}{count:>12,}")
        self.stdout.write(
            f"{report.total:,} rows in {report.seconds:.1f} s: {report.rate:,.0f} rows/s"
        )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no day like 2026-11-01") from None
