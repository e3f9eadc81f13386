"""`shardctl isolate`: give one heavy key a shard group of its own."""

from __future__ import annotations

import click
from rich.console import Group
from rich.text import Text

from sharding.cli import acting
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.commands.move import place_of
from sharding.cli.commands.split import NewGroups, behaviour, render_groups
from sharding.cli.parameters import node_named
from sharding.cli.tables import rows, table
from sharding.cluster import Cluster
from sharding.figures import bytes_, count
from sharding.inspection import placements
from sharding.inspection.whereabouts import Place
from sharding.moving import plans, splitting
from sharding.moving.steps import Mode, Step
from sharding.moving.watch import Done


@click.command("isolate", cls=ShardctlCommand, short_help="one heavy key to a shard of its own")
@click.argument("key")
@click.option("--table", "name", metavar="TABLE", help="Whose keys KEY is one of, if several fit.")
@click.option("--to", metavar="HOST:PORT", help="Then move the new shard group to this node.")
@acting.MODE
@acting.MAX_BLOCK
@acting.tolerance_options
@pass_app
def command(
    app: App, *, key: str, name: str | None, to: str | None, mode: str, max_block: float,
    tolerates: acting.Tolerance,
) -> int:  # fmt: skip
    """Split the shard group of a key, so that the key's rows are alone in one of the parts.

    Rows of other keys with the same hash, one in four thousand million, stay with it.
    """
    with acting.cluster(app) as cluster:
        target = node_named(cluster.primaries(), to) if to else None
        place = place_of(cluster, key, name, unknown=tolerates.force)
        group = placements.read(cluster).shard_group_of(place.shard_group)
        step = splitting.isolate(cluster, place, mode=Mode(mode))
        notes = acting.inspect(app, cluster, groups=[group.colocation_id], tolerates=tolerates)
        parts = splitting.ranges(group, place.hash)
        content = Group(_place(place, step), acting.remarks([
            f"Shard group {group.id} becomes {len(parts)}: "
            + ", ".join(f"{low} to {high}" for low, high in parts)
            + f"; the key hashes to {place.hash}.",
            *([f"The new group then moves to {target.name}."] if target else []),
            *behaviour(step), *notes,
        ]))  # fmt: skip
        app.consent(f"Isolate {place.key}?", preview=None if app.json else content)
        title = f"isolate in {group.id}"  # the key may be a name: it stays out of the journal
        with acting.runner(app, cluster, title, None, max_block) as runner:
            done = runner.drive([step])
            new = _group_of(cluster, done)
            if target and target.name != step.source.name:
                runner.drive([plans.single(cluster, new, target, mode=Mode(mode))])
        result = NewGroups.of(done, splitting.within(cluster, group), new)
        app.show(result, lambda console: render_groups(console, result))
    return 0


def _group_of(cluster: Cluster, done: Done) -> int:
    """Return the new shard group, of which Citus tells the shard of the table that was named."""
    shard = int(done.results[0].result)
    return placements.read(cluster, sizes=False).shard_group_of(shard).id


def _place(place: Place, step: Step) -> Group:
    listed = table("Table", ">Shard", ">Rows of the key")
    rows(listed, [[s.table, s.shard_id, count(s.rows)] for s in place.shards])
    where = f"They lie on {place.node}; the shard group has {bytes_(step.bytes)}."
    return Group(listed, Text(where))
