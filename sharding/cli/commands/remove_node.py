"""`shardctl remove-node`: take an empty node out."""

from __future__ import annotations

from dataclasses import dataclass

import click
from rich.console import Console

from sharding.cli import acting
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.parameters import node_named
from sharding.moving import membership
from sharding.moving.journal import Outcome

PREVIEW = """\
It ends the two-phase commits that it began, and begins no more.
All nodes forget {node}; nothing may connect to it as a node of the cluster.
It forgets the cluster: its copies of the reference tables and all metadata of Citus are dropped \
there. The server itself goes on.
"""


@dataclass(frozen=True, kw_only=True)
class Removed:
    """What `remove-node --format json` shows; `warnings` is about the node that is out."""

    node: str
    warnings: tuple[str, ...]


@click.command("remove-node", cls=ShardctlCommand, short_help="take an empty node out")
@click.argument("node", metavar="HOST:PORT")
@click.option("--force", is_flag=True, help="Its server is gone for good and cannot be told.")
@pass_app
def command(app: App, *, node: str, force: bool) -> int:
    """Take a node out that holds no shards any more; `shardctl drain` empties it."""
    with acting.cluster(app) as cluster:
        leaving = node_named(cluster.primaries(), node)
        membership.require_empty(cluster, leaving)
        preview = acting.remarks(PREVIEW.format(node=leaving.name).splitlines())
        app.consent(f"Remove {leaving.name}?", preview=None if app.json else preview)
        with acting.runner(app, cluster, f"remove-node {leaving.name}", None, 10.0) as runner:
            runner.journal.begin(f"remove-node {leaving.name}", moves=0, size=0)
            try:
                warnings = membership.remove(cluster, leaving, gone=force)
            except BaseException as error:
                runner.journal.end(Outcome.FAILED, str(error))
                raise
            runner.journal.end(Outcome.DONE)
        removed = Removed(node=leaving.name, warnings=tuple(warnings))
        app.show(removed, lambda console: _render(console, removed))
    return 0


def _render(console: Console, removed: Removed) -> None:
    console.print(f"[green]✓[/] {removed.node} is no node any more; all others have forgotten it.")
    for warning in removed.warnings:
        console.print(f"[yellow]{warning}[/]")
