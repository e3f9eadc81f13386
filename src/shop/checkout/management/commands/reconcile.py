"""Proves that the books agree, or prints what differs and ends with 1."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.catalog import selectors as catalog
from shop.checkout import reconciling
from shop.checkout.reconciling import Finding


class Command(BaseCommand):
    """Compares stock with its ledger and orders with their payments; reads, changes nothing."""

    help = (
        "Prove per product that stock is the sum of its movements, and per order that lines, "
        "total, payments and state agree. Asks every shard."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--gateway",
            action="store_true",
            help="also ask the payment gateway: each succeeded payment charged exactly once",
        )
        parser.add_argument("--format", choices=["table", "json"], default="table")

    def handle(self, *args: Any, **options: Any) -> None:
        findings = [*reconciling.stock(), *reconciling.orders()]
        if options["gateway"]:
            findings += reconciling.gateway()
        if options["format"] == "json":
            self.stdout.write(json.dumps([finding._asdict() for finding in findings], indent=2))
        else:
            self._table(findings)
        if findings:
            raise CommandError(f"{len(findings)} differ.", returncode=1)

    def _table(self, findings: list[Finding]) -> None:
        for finding in findings:
            self.stdout.write(f"{finding.kind:8} {finding.id:36} {finding.detail}")
        if not findings:
            self.stdout.write("Stock, orders and payments agree.")
        if uncounted := catalog.with_category().filter(track_inventory=False).count():
            self.stdout.write(f"{uncounted} products are sold without counting.")
