"""`shardctl drain`: empty a node, so that it can be removed."""

from __future__ import annotations

import click
from rich.console import Console

from sharding.cli import acting
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.commands.plan import render
from sharding.cli.parameters import node_named
from sharding.cluster import Cluster, Node
from sharding.errors import Blocked
from sharding.inspection import plan as planning
from sharding.moving import membership, plans
from sharding.moving.pacing import Pacer
from sharding.moving.steps import Mode
from sharding.moving.watch import Done


@click.command("drain", cls=ShardctlCommand, short_help="empty a node, move by move")
@click.argument("node", metavar="HOST:PORT")
@click.option("--undo", is_flag=True, help="Let shards come to the node again; moves nothing.")
@acting.MODE
@acting.MAX_BLOCK
@acting.PROVE
@acting.tolerance_options
@acting.pacing_options
@pass_app
def command(
    app: App, *, node: str, undo: bool, mode: str, max_block: float, prove: bool,
    tolerates: acting.Tolerance, watcher: Pacer | None,
) -> int:  # fmt: skip
    """Move all shards of a node to the others, one group after another.

    The node is marked first, so that no new shard comes to it; the mark stays when the drain is
    interrupted. Running it again goes on with what is left.
    """
    with acting.cluster(app) as cluster:
        leaving = node_named(cluster.primaries(), node)
        if undo:
            return _undo(app, cluster, leaving)
        _require_targets(cluster, leaving)
        plan = planning.inspect(cluster, drain=leaving)
        steps = plans.to_steps(cluster, plan, mode=Mode(mode))
        notes = acting.inspect(app, cluster, tolerates=tolerates, about=leaving.name)
        plans.require_room(cluster, steps)
        if not app.json:
            render(app.messages, plan)
        mark = f"{leaving.name} is marked first: no new shard comes to it (shouldhaveshards off)."
        app.consent(
            f"Drain {leaving.name}?",
            preview=None if app.json else acting.remarks([mark, acting.writes(mode), *notes]),
        )
        with acting.runner(
            app, cluster, f"drain {leaving.name}", watcher, max_block, prove=prove
        ) as runner:
            membership.hold_shards(cluster, leaving, should=False)
            done = runner.drive(steps)
            app.show(done, lambda console: _render(console, done, leaving))
    return 0


def _undo(app: App, cluster: Cluster, node: Node) -> int:
    app.consent(f"Let shards come to {node.name} again?")
    membership.hold_shards(cluster, node, should=True)
    app.say(f"Shards may come to {node.name}; `shardctl rebalance` brings some.")
    return 0


def _require_targets(cluster: Cluster, node: Node) -> None:
    others = [n for n in cluster.primaries() if n.should_have_shards and n.is_active and n != node]
    if not others:
        raise Blocked(
            f"No other node may hold shards, so {node.name} cannot be drained. Nothing was changed."
        )


def _render(console: Console, done: Done, node: Node) -> None:
    acting.render_done(console, done)
    console.print(f"{node.name} is empty; `shardctl remove-node {node.name}` takes it out.")
