"""`shardctl quarantine`: tables that were put aside, and dropping them for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sharding import quarantine
from sharding.cli import acting
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.parameters import node_named
from sharding.cli.tables import heading, rows, table
from sharding.figures import bytes_, duration
from sharding.quarantine import SCHEMA, Kept

DAYS = 7.0


@dataclass(frozen=True, kw_only=True)
class Report:
    """What `quarantine --format json` shows.

    Attributes:
        tables: what is in quarantine now.
        dropped: what was dropped for good.
        failed: what servers refused, and nodes that did not answer.
    """

    tables: tuple[Kept, ...]
    dropped: tuple[Kept, ...] = ()
    failed: tuple[str, ...] = ()


@click.command("quarantine", cls=ShardctlCommand, short_help="tables put aside; drop them for good")
@click.option("--drop", is_flag=True, help="Drop the tables that are old enough, after consent.")
@click.option("--older-than", type=click.FloatRange(min=0), default=DAYS, show_default=True,
              metavar="DAYS", help="What --drop takes: younger ones stay.")  # fmt: skip
@click.option("--node", metavar="HOST:PORT", help="Only what lies on this node.")
@pass_app
def command(app: App, *, drop: bool, older_than: float, node: str | None) -> int:
    """Show the tables that `verify --fix` has put aside; --drop removes them for good.

    They lie in the schema shardctl_quarantine of their node, with all their rows, and nothing
    reads them. Back again: ALTER TABLE … SET SCHEMA, RENAME TO.
    """
    with acting.cluster(app) if drop else app.cluster() as cluster:
        primaries = cluster.primaries()
        nodes = [node_named(primaries, node)] if node else primaries
        kept, silent = quarantine.inspect(cluster, nodes)
        chosen = [each for each in kept if drop and _is_older(each, older_than)]
        gone: list[Kept] = []
        failed = list(silent.values())
        if chosen:
            app.consent(
                f"Drop {len(chosen)} for good?", preview=None if app.json else _table(chosen)
            )
            gone, refused = quarantine.drop(cluster, chosen)
            failed += refused
    report = Report(
        tables=tuple(each for each in kept if each not in gone), dropped=tuple(gone),
        failed=tuple(failed),
    )  # fmt: skip
    app.show(report, lambda console: _render(console, report))
    return int(bool(failed))


def _is_older(kept: Kept, days: float) -> bool:
    """One of unknown age is nobody's to drop but by hand."""
    return kept.age is not None and kept.age >= timedelta(days=days)


def _render(console: Console, report: Report) -> None:
    if report.dropped:
        console.print(f"[green]✓[/] {len(report.dropped)} dropped for good.")
    heading(console, f"In quarantine (schema {SCHEMA})")
    console.print(_table(report.tables) if report.tables else "Nothing.")
    for sentence in report.failed:
        console.print(Text(sentence, style="red"))


def _table(listed: Sequence[Kept]) -> Table:
    made = table("Node", "Table", "~Was", ">Bytes", ">Age")
    return rows(made, (
        [k.node, k.name, k.origin or None, bytes_(k.bytes), duration(k.age)] for k in listed
    ))  # fmt: skip
