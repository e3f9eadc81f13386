"""`shardctl drift`: in what nodes differ that should be alike."""

from __future__ import annotations

import click
from rich.console import Console

from sharding.cli import findings
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.tables import silence
from sharding.inspection import drift
from sharding.inspection.drift import Drift


@click.command("drift", cls=ShardctlCommand, short_help="settings, roles, grants that differ")
@click.option("--ignore", multiple=True, metavar="CODE|NAME",
              help="Leave out a code, or what is about this name; may be repeated.")  # fmt: skip
@pass_app
def command(app: App, *, ignore: tuple[str, ...]) -> int:
    """Compare settings, roles, grants, extensions and pg_hba.conf of all nodes.

    Exits with 1 when nodes differ, or one does not answer. It needs a superuser.
    """
    with app.cluster() as cluster:
        found = drift.inspect(cluster, ignore=ignore)
    app.show(found, lambda console: _render(console, found))
    return 1 if found.silent else findings.exit_code(found.findings, strict=True)


def _render(console: Console, found: Drift) -> None:
    findings.render(console, found.findings, fine="All nodes are alike.")
    silence(console, found.silent)
