"""`shardctl activity`: what clients' sessions do, over all nodes."""

from __future__ import annotations

from datetime import timedelta

import click
from rich.console import Console
from rich.text import Text

from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.parameters import node_named
from sharding.cli.tables import one_line, rows, silence, table
from sharding.figures import duration
from sharding.inspection import sessions
from sharding.inspection.sessions import Activity, Session


@click.command("activity", cls=ShardctlCommand, short_help="what runs, on which nodes, since when")
@click.option("--node", metavar="HOST:PORT", help="Only sessions that work on this node.")
@click.option("--longer-than", type=click.FloatRange(min=0), default=0, metavar="SECONDS",
              help="Only transactions that are older.")  # fmt: skip
@pass_app
def command(app: App, *, node: str | None, longer_than: float) -> int:
    """Show the sessions that do something, the oldest transaction first.

    What one transaction does on several nodes is one line, under its global id (gpid). A node
    that does not answer is named, with the sessions of the others; the exit code is 1 then.
    """
    with app.cluster() as cluster:
        name = node_named(cluster.nodes(), node).name if node else ""
        found = sessions.activity(cluster, longer_than=timedelta(seconds=longer_than), node=name)
    app.show(found, lambda console: _render(console, found))
    return 1 if found.silent else 0


def _render(console: Console, found: Activity) -> None:
    if found.sessions:
        made = table(">Gpid", "Node", "Also on", ">Open", "State", "Waits for", "~Statement")
        console.print(rows(made, map(_session, found.sessions)))
        console.print(
            Text("To end one, on any node: SELECT pg_terminate_backend(GPID);", style="dim")
        )
    else:
        console.print("No session does anything.")
    silence(console, found.silent)


def _session(session: Session) -> tuple[object, ...]:
    return (
        session.gpid,
        session.node or "?",
        "\n".join(session.elsewhere),
        duration(session.age),
        Text(session.state, style="yellow" if session.is_idle else ""),
        session.waits_for,
        one_line(session.query),
    )
