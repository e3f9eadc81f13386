"""`shardctl skew`: how evenly bytes, rows and traffic are spread, and who is the heaviest."""

from __future__ import annotations

import click
from rich.console import Console
from rich.text import Text

from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.parameters import group_ids
from sharding.cli.tables import heading, rows, silence, table
from sharding.errors import InvalidInput
from sharding.figures import bar, bytes_, count, duration, percent
from sharding.inspection import estimates, placements, skew
from sharding.inspection.skew import Load, Skew

MEASURES = ("bytes", "rows", "traffic")


@click.command("skew", cls=ShardctlCommand, short_help="bytes, rows, traffic; the heaviest users")
@click.option("--seconds", type=click.FloatRange(min=0.1), metavar="SECONDS",
              help="Count traffic for so long. Default: all that has been counted.")  # fmt: skip
@click.option("--group", metavar="TABLE", help="Only the colocation group of this table.")
@click.option("--by", type=click.Choice(MEASURES), default="bytes", show_default=True,
              help="What the shards are sorted by.")  # fmt: skip
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True,
              help="How many shards and users to list.")  # fmt: skip
@pass_app
def command(app: App, *, seconds: float | None, group: str | None, by: str, top: int) -> int:
    """Show how evenly bytes, rows and traffic are spread over nodes and shards.

    Traffic is what PostgreSQL counts for the shards' own tables: scans and written rows, since
    the shard came to its node, or within --seconds. The heaviest users are Citus's own figures
    (citus_stat_tenants), of this minute and the last.
    """
    with app.cluster() as cluster:
        layout = placements.read(cluster, sizes=False)
        number = group_ids(layout, [group])[0] if group else None
        found = skew.inspect(cluster, seconds=seconds, group=number, keys=top)
    if not found.shard_groups:
        raise InvalidInput("The cluster has no distributed table.")
    app.show(found, lambda console: _render(console, found, by=by, top=top))
    return 1 if found.silent else 0


def _render(console: Console, found: Skew, *, by: str, top: int) -> None:
    window = f"within {duration(found.seconds)}" if found.seconds else "since the counters began"
    heading(console, "Nodes")
    made = table("Node", ">Bytes", "", ">Rows", "", ">Traffic", "")
    console.print(rows(made, (_node(load, found) for load in found.nodes)))
    console.print(
        Text(
            "Above the mean: "
            + ", ".join(f"{name} {percent(share)}" for name, share in found.uneven.items())
            + f". Traffic: scans and written rows {window}.",
            style="dim",
        )
    )
    if any(load.rows is None and load.node not in found.silent for load in found.shard_groups):
        console.print(Text(estimates.UNKNOWN, style="dim"))
    shards = sorted(found.shard_groups, key=lambda load: -_measure(load, by))
    heading(console, f"Shard groups by {by}: {min(top, len(shards))} of {len(shards)}")
    largest = _measure(shards[0], by)
    listed = table(">Shard", ">Group", "Node", ">Bytes", ">Rows", ">Traffic", "")
    console.print(rows(listed, (_shard(load, found, by, largest) for load in shards[:top])))
    _render_tenants(console, found)
    silence(console, found.silent)


def _node(load: Load, found: Skew) -> tuple[object, ...]:
    cells: list[object] = [load.name]
    for name, text in (
        ("bytes", bytes_(load.bytes)),
        ("rows", count(load.rows)),
        ("traffic", _traffic(load, found)),
    ):
        largest = max(_measure(other, name) for other in found.nodes)
        cells += [text, Text(bar(_measure(load, name), largest, width=7), style="cyan")]
    return tuple(cells)


def _traffic(load: Load, found: Skew) -> str:
    return count(None if load.node in found.silent else load.scans + load.writes)


def _shard(load: Load, found: Skew, by: str, largest: float) -> tuple[object, ...]:
    return (
        load.name,
        load.colocation_id,
        load.node,
        bytes_(load.bytes),
        count(load.rows),
        _traffic(load, found),
        Text(bar(_measure(load, by), largest, width=12), style="cyan"),
    )


def _measure(load: Load, by: str) -> float:
    figures = {"bytes": load.bytes, "rows": load.rows, "traffic": load.scans + load.writes}
    return figures[by] or 0


def _render_tenants(console: Console, found: Skew) -> None:
    heading(console, "Heaviest keys (this minute and the last)")
    if found.tenants:
        made = table("Key", ">Shard", "Node", ">Queries", ">CPU")
        content = (
            (t.key, t.shard, t.node, count(t.queries), duration(t.cpu_seconds))
            for t in found.tenants
        )
        console.print(rows(made, content))
    elif not found.untracked:
        console.print("No queries of single keys were seen.")
    if found.untracked:
        names = ", ".join(found.untracked)
        console.print(Text(f"Keys are not tracked on {names}. To switch it on:", style="yellow"))
        console.print(Text(f"  {skew.SWITCH_ON}", style="dim"), soft_wrap=True)
