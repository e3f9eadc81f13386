"""`shardctl tenants`: how keys were used over time, and what was isolated."""

from __future__ import annotations

from datetime import timedelta

import click
from rich.console import Console
from rich.text import Text

from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.tables import heading, mark, rows, table
from sharding.figures import bytes_, count, duration, percent
from sharding.inspection import placements, tenancy
from sharding.inspection.tenancy import Tenancy, Use
from sharding.moving import tenancy as recording


@click.command("tenants", cls=ShardctlCommand, short_help="heavy keys over time; isolated ones")
@click.option("--record", is_flag=True, help="Write the last period down; for cron, every minute.")
@click.option("--keep", type=click.IntRange(min=1), default=30, show_default=True, metavar="DAYS",
              help="With --record: remove older records.")  # fmt: skip
@click.option("--since", type=click.FloatRange(min=0.01), default=24.0, show_default=True,
              metavar="HOURS", help="What to sum up.")  # fmt: skip
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True,
              help="How many keys to list.")  # fmt: skip
@pass_app
def command(app: App, *, record: bool, keep: int, since: float, top: int) -> int:
    """Show which keys were heavy over time, and whether those that were isolated still are.

    Citus counts keys for a minute or two (citus.stat_tenants_track = 'all'); --record writes
    each minute down in schema shardctl on the coordinator.
    """
    if record:
        return _record(app, keep)
    with app.cluster() as cluster:
        found = tenancy.inspect(cluster, placements.read(cluster), since=timedelta(hours=since))
    app.show(found, lambda console: _render(console, found, top))
    return 0


def _record(app: App, keep: int) -> int:
    with app.cluster(read_only=False) as cluster:
        recorded = recording.record(cluster, keep=timedelta(days=keep))
    app.show({"recorded": recorded}, lambda console: console.print(f"{recorded} keys recorded."))
    return 0


def _render(console: Console, found: Tenancy, top: int) -> None:
    if found.keys:
        made = table("Key", ">Shard", "Node", ">Queries", ">CPU", ">Share", ">Periods", "Own shard")
        console.print(rows(made, map(_key, found.keys[:top])))
        window = duration(found.since)
        console.print(Text(f"Sums over {window}; shares are of the colocation group.", style="dim"))
    else:
        console.print("No key was recorded: `shardctl tenants --record`, once per period.")
    if found.isolated:
        heading(console, "Isolated")
        made = table(">Shard", "Node", ">Bytes", "Key", "~Advice")
        content = (
            (each.shard, each.node, bytes_(each.bytes), each.key, each.advice)
            for each in found.isolated
        )
        console.print(rows(made, content))


def _key(use: Use) -> tuple[object, ...]:
    return (
        use.key,
        use.shard,
        use.node,
        count(use.queries),
        duration(use.cpu_seconds),
        percent(use.share),
        use.periods,
        mark(True) if use.is_isolated else "",
    )
