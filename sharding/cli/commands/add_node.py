"""`shardctl add-node`: take a new node in, ready for shards."""

from __future__ import annotations

import click

from sharding.cli import acting, findings
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.parameters import address
from sharding.errors import Blocked, InvalidInput
from sharding.inspection.findings import Finding, errors
from sharding.moving import candidate, membership

PREVIEW = """\
Roles, schemas and all metadata are copied to it (citus_add_node); DDL waits meanwhile.
Reference tables are copied next, by logical replication. Writes to them wait only while the copy \
is switched on, and while the copies are compared; creating tables waits throughout.
Shards may come to it only after both were verified. When a step fails, it is removed again.
"""


@click.command("add-node", cls=ShardctlCommand, short_help="take a new node in, ready for shards")
@click.argument("node", metavar="HOST:PORT")
@acting.tolerance_options
@pass_app
def command(app: App, *, node: str, tolerates: acting.Tolerance) -> int:
    """Check a new node, add it, copy the reference tables to it, and verify it.

    It holds no shards yet afterwards: `shardctl rebalance` brings them.
    """
    host, port = address(node)
    with acting.cluster(app) as cluster:
        coming = candidate.node_at(host, port)
        known = next((n for n in cluster.nodes() if n.name == coming.name), None)
        if known and membership.is_ready(cluster, known):
            raise InvalidInput(f"{coming.name} is a node of the cluster already.")
        if known:
            app.say(f"{coming.name} is a node, but not ready for shards: going on with it.")
        else:
            found = tolerates.objections(candidate.inspect(cluster, coming))
            _refuse(app, found, force=tolerates.force)
        notes = acting.inspect(
            app, cluster, tolerates=tolerates, references=False, about=coming.name
        )
        preview = acting.remarks([*PREVIEW.splitlines(), *notes])
        app.consent(f"Add {coming.name}?", preview=None if app.json else preview)
        with acting.runner(app, cluster, f"add-node {coming.name}", None, 10.0) as runner:
            done = membership.add(runner, coming)
        app.show(done, lambda console: console.print(
            f"[green]✓[/] {coming.name} is a node: metadata and reference tables verified."
            " `shardctl rebalance` brings shards to it."
        ))  # fmt: skip
    return 0


def _refuse(app: App, found: list[Finding], *, force: bool) -> None:
    if found and not app.json:
        findings.render(app.messages, found, fine="")
    codes = ", ".join(sorted({finding.code for finding in found}))
    if errors(found) or (found and app.yes and not force):
        raise Blocked(f"The node cannot be added: {codes}. Nothing was changed.")
