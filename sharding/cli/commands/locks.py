"""`shardctl locks`: who waits for whom over all nodes, and how to end it."""

from __future__ import annotations

import click
from rich.console import Console
from rich.text import Text

from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.tables import heading, one_line, rows, silence, table
from sharding.figures import duration
from sharding.inspection import sessions
from sharding.inspection.sessions import Locks, Wait


@click.command("locks", cls=ShardctlCommand, short_help="who blocks whom, and how to end it")
@pass_app
def command(app: App) -> int:
    """Show which sessions wait for locks that others hold, the longest wait first.

    Those at the root of all waits are named with the statement that ends them. A node that does
    not answer is named, with the waits on the others; the exit code is 1 then.
    """
    with app.cluster() as cluster:
        found = sessions.locks(cluster)
    app.show(found, lambda console: _render(console, found))
    return 1 if found.silent else 0


def _render(console: Console, found: Locks) -> None:
    if found.waits:
        made = table(">Waiting", ">Blocked by", ">For", "Node", "Lock on", "~Statement that waits")
        console.print(rows(made, (_wait(wait, found) for wait in found.waits)))
        _roots(console, found)
    else:
        console.print("Nobody waits for a lock.")
    silence(console, found.silent)


def _wait(wait: Wait, found: Locks) -> tuple[object, ...]:
    waiting = found.sessions.get(wait.waiting)
    return (
        wait.waiting,
        wait.blocking or "prepared",
        duration(wait.waited),
        wait.node,
        f"{wait.lock_on} ({wait.mode})",
        one_line(waiting.query) if waiting else "",
    )


def _roots(console: Console, found: Locks) -> None:
    heading(console, "At the root")
    for gpid in found.roots:
        session = found.sessions.get(gpid)
        if session is None:
            console.print(f"{gpid}: its session has ended meanwhile, or its node does not answer.")
            continue
        console.print(
            f"{gpid}: {session.role} of {session.application or 'no application name'} on"
            f" {session.node}, {session.state} for {duration(session.unchanged)}, last:"
            f" {one_line(session.query)}",
            markup=False,
        )
        console.print(
            Text(f"  To end it, on any node: SELECT pg_terminate_backend({gpid});", style="dim")
        )
    for prepared in found.prepared:
        console.print(
            f"Prepared transaction {prepared.gid} on {prepared.node},"
            f" {duration(prepared.age)} old.",
            markup=False,
        )
        console.print(
            Text("  `shardctl verify` says whether it is to be committed or undone.", style="dim")
        )
