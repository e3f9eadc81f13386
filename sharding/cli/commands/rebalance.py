"""`shardctl rebalance`: make the nodes even, one shard group at a time."""

from __future__ import annotations

import click

from sharding.cli import acting
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.commands.plan import evenness_options, render
from sharding.inspection import plan as planning
from sharding.inspection.plan import BY_SIZE
from sharding.moving import journal, plans
from sharding.moving.pacing import Pacer
from sharding.moving.steps import Mode


@click.command("rebalance", cls=ShardctlCommand, short_help="make the nodes even, move by move")
@evenness_options
@click.option("--max-moves", type=click.IntRange(min=1), metavar="N", help="End after so many.")
@click.option("--dry-run", is_flag=True, help="Only show what would be done.")
@acting.MODE
@acting.MAX_BLOCK
@acting.PROVE
@acting.tolerance_options
@acting.pacing_options
@pass_app
def command(
    app: App, *, strategy: str | None, threshold: float | None, max_moves: int | None,
    dry_run: bool, mode: str, max_block: float, prove: bool, tolerates: acting.Tolerance,
    watcher: Pacer | None,
) -> int | None:  # fmt: skip
    """Move shard groups between the nodes until they hold about the same.

    The moves are planned by Citus and run one after another by shardctl itself. Ctrl-C cancels
    the running move, removes what it left, and ends with 130; the next `rebalance` goes on from
    where the cluster stands. `shardctl stop` ends it from elsewhere after the current move.
    """
    with app.cluster() if dry_run else acting.cluster(app) as cluster:
        plan = planning.inspect(cluster, strategy=strategy or BY_SIZE, threshold=threshold)
        if dry_run:
            app.show(plan, lambda console: render(console, plan))
            return 0
        steps = plans.to_steps(cluster, plan, mode=Mode(mode), limit=max_moves)
        if not steps and not journal.exists(cluster.coordinator):
            app.show(plan, lambda console: render(console, plan))
            return 0
        notes = acting.inspect(app, cluster, tolerates=tolerates)
        plans.require_room(cluster, steps)
        if not app.json:
            render(app.messages, plan)
        if len(steps) < len(plan.moves):
            notes.append(
                f"Of {len(plan.moves)} moves, the first {len(steps)} will be made (--max-moves)."
            )
        if steps:
            app.consent(
                f"Move {len(steps)} shard groups?",
                preview=None if app.json else acting.remarks([acting.writes(mode), *notes]),
            )
        done = acting.run(
            app,
            cluster,
            steps,
            command="rebalance",
            watcher=watcher,
            max_block=max_block,
            prove=prove,
        )
        app.show(done, lambda console: acting.render_done(console, done))
    return 0
