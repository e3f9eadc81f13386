"""What every command shares: the options, the cluster, how it shows results and asks consent."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import click
from rich.console import Console, RenderableType
from rich.text import Text

from sharding.cli import streams, surroundings
from sharding.cli.shapes import plain
from sharding.cluster import Cluster
from sharding.connection import STATEMENT_TIMEOUT
from sharding.errors import Declined

JSON_VERSION = 1


@dataclass
class App:
    """The options of one run; `pass_app` hands it to a command."""

    dsn: str | None = None
    format: str = "table"
    show_sql: bool = False
    yes: bool = False
    no_color: bool = False
    command: str | None = None
    _consoles: dict[bool, Console] = field(default_factory=dict)

    @property
    def json(self) -> bool:
        """Whether the answer is for a program."""
        return self.format == "json"

    @property
    def console(self) -> Console:
        """Where results go: standard output."""
        return self._console(stderr=False)

    @property
    def messages(self) -> Console:
        """Where progress, SQL and errors go: standard error."""
        return self._console(stderr=True)

    def cluster(self, *, read_only: bool = True, timeout: timedelta = STATEMENT_TIMEOUT) -> Cluster:
        """Connect to the cluster that the options name; close it, or use it in a `with`."""
        found = Cluster.connect(
            surroundings.dsn(self.dsn),
            log=self.log_sql if self.show_sql else None,
            read_only=read_only,
            timeout=timeout,
        )
        if found.is_stand_in:
            self.say(
                f"[yellow]The coordinator, {found.stands_in_for}, does not answer:"
                f" {found.coordinator.name} says what it knows.[/]"
            )
        return found

    def log_sql(self, node: str, sql: str) -> None:
        """Print a statement, ready to be pasted into psql."""
        text = "\n".join(line for line in sql.strip().splitlines() if line.strip())
        end = "" if text.endswith(";") else ";"
        self.messages.print(Text(f"-- {node}\n{text}{end}", style="dim"), soft_wrap=True)

    def show(self, result: object, render: Callable[[Console], None]) -> None:
        """Print a result: `render` draws it for people, JSON shows the dataclass as it is."""
        if self.json:
            self.emit({"data": plain(result)})
        else:
            render(self.console)

    def emit(self, body: dict[str, Any]) -> None:
        """Print the one JSON document of this run."""
        document = {"command": self.command, "version": JSON_VERSION, **body}
        plain_signs = not streams.takes_all_signs(sys.stdout)
        click.echo(json.dumps(document, indent=2, ensure_ascii=plain_signs))

    def say(self, message: RenderableType) -> None:
        """Tell people what goes on; on standard error, so that scripts are not disturbed."""
        self.messages.print(message)

    def consent(self, question: str, *, preview: RenderableType | None = None) -> None:
        """Show what will change and ask; go on only after a yes.

        Raises:
            Declined: the answer was no, or there is no terminal to ask and no --yes.
        """
        if preview is not None:
            self.say(preview)
        if self.yes:
            return
        if not sys.stdin.isatty():
            raise Declined("Nothing was changed: no terminal to ask, so --yes is needed.")
        if not click.confirm(question, default=False, err=True):
            raise Declined("Nothing was changed.")

    def _console(self, *, stderr: bool) -> Console:
        if stderr not in self._consoles:
            # None leaves it to NO_COLOR and to whether this is a terminal.
            no_color = self.no_color or None
            self._consoles[stderr] = Console(stderr=stderr, highlight=False, no_color=no_color)
        return self._consoles[stderr]


pass_app = click.make_pass_decorator(App, ensure=True)
