"""Look at the tasks that were given up, let them run again, or drop them."""

import json
import sys
from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from shop.core import dead_letters
from shop.core.broker import BROKER_ERRORS
from shop.core.models import DeadLetter

MOST = 1000
COLUMNS = ("ID", "GIVEN UP", "TASK", "TRIES", "ERROR")


def _letter_id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is no id; `dead_letters list` shows them") from None


class Command(BaseCommand):
    help = (
        "The tasks that were given up after their last try. `list` shows them, `replay` lets them "
        "run again, `drop` forgets them. Asks every shard."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        for name, text in (
            ("list", "show them, the oldest first"),
            ("replay", "let them run again; what caused the failure should be mended"),
            ("drop", "forget them: what they were to do stays undone"),
        ):
            one = commands.add_parser(name, help=text)
            one.add_argument("--task", default="", help="those of one task, e.g. core.some_task")
            if name == "list":
                one.add_argument("--format", choices=("table", "json"), default="table")
                continue
            which = one.add_mutually_exclusive_group(required=True)
            which.add_argument("--id", type=_letter_id, action="append", dest="ids")
            which.add_argument("--all", action="store_true", help=f"up to {MOST} at a time")
            one.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        ids = options.get("ids")
        found = dead_letters.letters(ids=ids, task=options["task"], limit=MOST)
        if missing := set(ids or ()) - {letter.id for letter in found}:
            raise CommandError(f"No such dead letter: {', '.join(map(str, sorted(missing)))}.")
        if options["command"] == "list":
            self.show(found, options["format"])
        elif not found:
            self.stdout.write("There are no dead letters.")
        elif self.agreed(found, options["command"], options["yes"]):
            act = {"replay": self.replay, "drop": self.drop}[options["command"]]
            self.each(found, act)

    def show(self, found: list[DeadLetter], form: str) -> None:
        """Print dead letters."""
        if form == "json":
            self.stdout.write(json.dumps([_as_json(letter) for letter in found], indent=2))
        elif not found:
            self.stdout.write("There are no dead letters.")
        else:
            self.stdout.write(_table([COLUMNS, *map(_row, found)]))
            if len(found) == MOST:
                self.stdout.write(f"These are the oldest {MOST}; there may be more.")

    def agreed(self, found: list[DeadLetter], verb: str, yes: bool) -> bool:
        """Show what will be touched, and ask unless told not to."""
        if yes:
            return True
        self.show(found, "table")
        if not sys.stdin.isatty():
            raise CommandError(f"Nothing was done: say --yes to {verb} these {len(found)}.")
        if input(f"{verb.capitalize()} these {len(found)}? [y/N] ").strip().lower() == "y":
            return True
        self.stdout.write("Nothing was done.")
        return False

    def each(self, found: list[DeadLetter], act: Callable[[DeadLetter], str]) -> None:
        """Act on each; go on after a failure, and fail at the end."""
        failed = 0
        for letter in found:
            try:
                outcome = act(letter)
            except (LookupError, *BROKER_ERRORS) as error:
                failed += 1
                outcome = f"stays: {' '.join(str(error).split())}"
            self.stdout.write(f"{letter.id}  {letter.task}  {outcome}")
        if failed:
            raise CommandError(f"{failed} of {len(found)} could not be replayed and stay.")

    def replay(self, letter: DeadLetter) -> str:
        return "will run again" if dead_letters.replay(letter) else "gone already"

    def drop(self, letter: DeadLetter) -> str:
        return "dropped" if dead_letters.drop(letter) else "gone already"


def _row(letter: DeadLetter) -> tuple[str, ...]:
    at = f"{letter.created_at:%Y-%m-%d %H:%M:%S}"
    return str(letter.id), at, letter.task, str(letter.tries), " ".join(letter.error.split())[:80]


def _as_json(letter: DeadLetter) -> dict[str, Any]:
    return {
        "id": str(letter.id),
        "given_up_at": letter.created_at.isoformat(),
        "task": letter.task,
        "tries": letter.tries,
        "user_id": None if letter.user_id == DeadLetter.NOBODY else str(letter.user_id),
        "event_id": letter.event_id and str(letter.event_id),
        "topic": letter.topic,
        "payload": letter.payload,
        "kwargs": letter.kwargs,
        "error": letter.error,
    }


def _table(rows: list[tuple[str, ...]]) -> str:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = (zip(row, widths, strict=True) for row in rows)
    return "\n".join(
        "  ".join(text.ljust(width) for text, width in line).rstrip() for line in lines
    )
