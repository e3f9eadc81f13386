"""`shardctl move`: move one shard group to a node."""

from __future__ import annotations

import click

from sharding.cli import acting, surroundings
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.parameters import node_named
from sharding.cluster import Cluster
from sharding.inspection import placements, whereabouts
from sharding.inspection.whereabouts import Place
from sharding.moving import plans
from sharding.moving.pacing import Pacer
from sharding.moving.steps import Mode, Step


@click.command("move", cls=ShardctlCommand, short_help="move one shard group to a node")
@click.argument("what", metavar="SHARD|KEY")
@click.option("--to", required=True, metavar="HOST:PORT", help="The node that it moves to.")
@click.option("--table", metavar="TABLE", help="Whose keys KEY is one of, if several fit.")
@acting.MODE
@acting.MAX_BLOCK
@acting.PROVE
@acting.tolerance_options
@acting.pacing_options
@pass_app
def command(
    app: App, *, what: str, to: str, table: str | None, mode: str, max_block: float, prove: bool,
    tolerates: acting.Tolerance,
    watcher: Pacer | None,
) -> int:  # fmt: skip
    """Move the shard group of a shard id, or the one that holds a key, to another node."""
    with acting.cluster(app) as cluster:
        target = node_named(cluster.primaries(), to)
        shard = shard_of(cluster, what, table, unknown=tolerates.force)
        step = plans.single(cluster, shard, target, mode=Mode(mode))
        notes = acting.inspect(
            app, cluster, groups=[_colocation(cluster, step)], tolerates=tolerates
        )
        content = acting.preview(step, [acting.writes(mode), *notes])
        app.consent("Move it?", preview=None if app.json else content)
        done = acting.run(
            app,
            cluster,
            [step],
            command=f"move {step.shard} --to {target.name}",
            watcher=watcher,
            max_block=max_block,
            prove=prove,
        )
        app.show(done, lambda console: acting.render_done(console, done))
    return 0


def shard_of(cluster: Cluster, what: str, table: str | None, *, unknown: bool) -> int:
    """Return a shard id, given as such or by a key that lives there, as `where` finds it.

    A number is a shard, unless a table says whose key it is: after a split, an old shard id must
    not turn into somebody's key.

    Raises:
        InvalidInput: it is neither, the key may mean several, or no row has it (but `unknown`).
    """
    if table is None and what.isascii() and what.isdigit():
        return placements.read(cluster, sizes=False).shard_group_of(int(what)).id
    return place_of(cluster, what, table, unknown=unknown).shard_group


def place_of(cluster: Cluster, key: str, table: str | None, *, unknown: bool) -> Place:
    """Return the place of a key; see `shard_of`."""
    places = whereabouts.find(cluster, key, prefixes=surroundings.text_prefixes(), table=table)
    return whereabouts.the_one(places, key, unknown=unknown)


def _colocation(cluster: Cluster, step: Step) -> int:
    return placements.read(cluster, sizes=False).shard_group_of(step.shard).colocation_id
