"""`check_migrations`: can the running release live with the new ones, and the cluster's tables?"""

import sys
import textwrap
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DEFAULT_DB_ALIAS, Error, connections
from django.db.migrations.exceptions import (
    BadMigrationError,
    CircularDependencyError,
    InconsistentMigrationHistory,
    NodeNotFoundError,
)

from sharding.django.expand_contract import releases, verdicts
from sharding.django.expand_contract.git import Checkout
from sharding.django.expand_contract.objections import Objection
from sharding.django.expand_contract.releases import Release
from sharding.django.expand_contract.verdicts import Verdict
from sharding.django.router import COORDINATOR
from sharding.errors import InvalidInput

BAD_INPUT = 2
WIDTH = 89
NO_TAG = "There is no tag, so no release to compare with: nothing was checked. --since names one."
NEW_DATABASE = "The database has had no migration, so nothing runs on it: nothing was checked."
UNREADABLE = (
    BadMigrationError,
    CircularDependencyError,
    InconsistentMigrationHistory,
    NodeNotFoundError,
)


class Command(BaseCommand):
    """Exits 0 if nothing is refused, 1 if something is, 2 if it cannot be told."""

    help = (
        "Refuse new migrations that the running release could not live with, or that would lock "
        "a table for long. New is what the last tag has not, or what --since or --unapplied says."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: Any) -> None:
        new = parser.add_mutually_exclusive_group()
        new.add_argument(
            "--since", metavar="REF", help="the release that runs: a tag, branch or commit"
        )
        new.add_argument(
            "--unapplied",
            action="store_true",
            help="those that a database has not had yet, of installed packages as well",
        )
        parser.add_argument(
            "--database", help="for --unapplied: the alias; default: the coordinator's"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            release = self._release(options)
        except (InvalidInput, *UNREADABLE) as error:
            raise CommandError(str(error), returncode=BAD_INPUT) from error
        except Error as error:
            raise CommandError(
                f"The database cannot be asked: {error}", returncode=BAD_INPUT
            ) from error
        if release is None:
            self.stdout.write(NO_TAG)
            return
        if not release.known:
            self.stdout.write(NEW_DATABASE)
            return
        found = verdicts.judge(release)
        self._show(release, found)
        if bad := sum(bool(verdict.refused) for verdict in found):
            raise CommandError(f"{bad} of {len(found)} migrations refused: docs/migrations.md")

    def _release(self, options: dict[str, Any]) -> Release | None:
        if options["unapplied"]:
            return releases.applied(_connection(options["database"]))
        if options["database"]:
            raise InvalidInput("--database goes with --unapplied: git is asked otherwise.")
        checkout = Checkout.around(_project())
        ref = checkout.last_tag() if options["since"] is None else options["since"]
        return None if ref is None else releases.at(checkout, ref)

    def _show(self, release: Release, found: list[Verdict]) -> None:
        number = f"{len(found)} migration{'' if len(found) == 1 else 's'}"
        self.stdout.write(f"{number} to look at, compared with {release.name}.")
        for verdict in found:
            fine = "" if verdict.refused or verdict.allowed else ": nothing to object to"
            self.stdout.write(f"{verdict.migration}{fine}")
            for objection in verdict.refused:
                self._tell("refused", objection, f"instead: {objection.remedy}")
            for objection, reason in verdict.allowed:
                self._tell("allowed", objection, f"because: {reason}")

    def _tell(self, answer: str, objection: Objection, last: str) -> None:
        what = f" · {objection.operation}" if objection.operation else ""
        self.stdout.write(f"  {answer}  {objection.code}{what}")
        for line in (objection.message, last):
            self.stdout.write(textwrap.indent(textwrap.fill(line, WIDTH), " " * 11))


def _project() -> Path:
    """Return the directory of the settings, wherever the command is called."""
    return Path(sys.modules[settings.SETTINGS_MODULE].__file__ or "").resolve().parent


def _connection(alias: str | None) -> Any:
    """Return the connection of an alias; without one that of the coordinator.

    Raises:
        InvalidInput: the settings have no such alias.
    """
    chosen = alias or (COORDINATOR if COORDINATOR in settings.DATABASES else DEFAULT_DB_ALIAS)
    if chosen not in settings.DATABASES:
        raise InvalidInput(f"The settings know no database {chosen!r}.")
    return connections[chosen]
