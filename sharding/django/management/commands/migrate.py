"""`migrate`, straight to the coordinator unless told otherwise."""

from typing import Any

from django.conf import settings
from django.core.management.commands import migrate

from sharding.django.router import COORDINATOR


class Command(migrate.Command):
    """Runs where DDL belongs: a pooled connection loses session settings between statements."""

    def add_arguments(self, parser: Any) -> None:
        super().add_arguments(parser)
        if COORDINATOR in settings.DATABASES:
            parser.set_defaults(database=COORDINATOR)
