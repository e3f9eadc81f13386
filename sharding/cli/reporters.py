"""How a run is shown: a live bar in a terminal, a line per move elsewhere, JSON lines for programs.

All on standard error; the result follows on standard output when the run has ended.
"""

from __future__ import annotations

import json
import sys
import time

import click
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sharding.cli import streams
from sharding.cli.app import App
from sharding.cli.shapes import plain
from sharding.figures import bytes_, duration
from sharding.moving.events import (
    Event,
    MoveFinished,
    MoveStarted,
    Progress,
    Reporter,
    RunStarted,
    Said,
    Waiting,
)

# A program that watches does not need every sample.
JSON_SECONDS = 1.0
LINE_SECONDS = 30.0


def reporter(app: App) -> Reporter:
    """Return the reporter that fits the options and the terminal."""
    if app.json:
        return JsonLines()
    return Bar(app.messages) if app.messages.is_terminal else Lines(app.messages)


class JsonLines:
    """One JSON object per line and event."""

    def __init__(self) -> None:
        self._told = 0.0

    def tell(self, event: Event) -> None:
        """Write it; progress at most once per second."""
        if isinstance(event, Progress | Waiting):
            if time.monotonic() - self._told < JSON_SECONDS:
                return
            self._told = time.monotonic()
        plain_signs = not streams.takes_all_signs(sys.stderr)
        click.echo(json.dumps(plain(event), ensure_ascii=plain_signs), err=True)

    def close(self) -> None:
        """Nothing to put in order."""


class Lines:
    """One line per move; waiting is said when it begins and every half minute."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._waited = 0.0

    def tell(self, event: Event) -> None:
        """Print what matters afterwards."""
        if isinstance(event, Waiting):
            if time.monotonic() - self._waited < LINE_SECONDS:
                return
            self._waited = time.monotonic()
        line = sentence(event)
        if line is not None:
            self._console.print(line, soft_wrap=True)

    def close(self) -> None:
        """Nothing to put in order."""


class Bar:
    """Two bars, of the run and of the running move, with rate, ETA and phase below each other."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._live = Live(console=console, refresh_per_second=8, transient=True)
        self._move: MoveStarted | None = None

    def tell(self, event: Event) -> None:
        """Draw it."""
        if isinstance(event, MoveStarted):
            self._move = event
        if isinstance(event, Progress):
            self._draw(self._bars(event))
        elif isinstance(event, Waiting):
            line = sentence(event)
            self._draw(line or Text(""))
        else:
            line = sentence(event)
            if line is not None:
                self._console.print(line)

    def close(self) -> None:
        """Remove the bars and leave the lines."""
        self._live.stop()

    def _draw(self, content: Group | Text) -> None:
        if not self._live.is_started:
            self._live.start()
        self._live.update(content)

    def _bars(self, event: Progress) -> Group:
        grid = Table.grid(padding=(0, 1))
        grid.add_row(
            Text("run "),
            ProgressBar(total=max(event.run_total, 1), completed=event.run_bytes, width=32),
            Text(f"{bytes_(event.run_bytes)} of {bytes_(event.run_total)}"),
            Text(f"{bytes_(event.rate)}/s" if event.rate else ""),
            Text(f"ETA {duration(event.left)}" if event.left is not None else ""),
        )
        grid.add_row(
            Text("move"),
            ProgressBar(total=max(event.total, 1), completed=event.copied, width=32),
            Text(f"{event.number} of {event.of}: {bytes_(event.copied)} of {bytes_(event.total)}"),
            Text(event.phase, style="cyan"),
            Text(duration(event.elapsed)),
        )
        return Group(grid, self._note(event))

    def _note(self, event: Progress) -> Text:
        parts = []
        if self._move:
            what = f"shard group {self._move.shard}" if self._move.shard else self._move.kind
            parts.append(f"{what}: {self._move.source} → {self._move.target}")
        if event.lag:
            parts.append(f"lag {bytes_(event.lag)}")
        if event.p99_ms is not None:
            parts.append(f"p99 {event.p99_ms:.0f} ms")
        if event.blocking:
            parts.append("writes wait")
        if event.waits_for:
            parts.append(event.waits_for)
        return Text(" · ".join(parts), style="dim")


def sentence(event: Event) -> Text | None:
    """Return the line for an event; None for what only a bar shows."""
    match event:
        case RunStarted():
            return Text(f"Run {event.run}: {event.moves} to do, {bytes_(event.bytes)}.")
        case Said():
            return Text(event.message)
        case Waiting():
            return Text(event.sentence)
        case MoveFinished():
            return _finished(event)
    return None


def _finished(event: MoveFinished) -> Text:
    good = event.outcome == "done"
    mark = ("✓", "green") if good else ("✗", "bold red")
    where = f"{event.source} → {event.target}" if event.kind == "move" else event.source
    line = Text.assemble(
        mark,
        f" {event.number}/{event.of} {event.kind} {event.shard or ''}".rstrip() + f"  {where}"
        f"  {bytes_(event.bytes)} in {duration(event.took)}",
    )
    if good:
        line.append(f", writes waited ≤ {duration(event.write_block)}")
    else:
        line.append(f": {event.outcome}" + (f" ({event.error})" if event.error else ""))
    return line
