"""`shardctl update-node`: a node is reached at another address from now on."""

from __future__ import annotations

from datetime import timedelta

import click
from rich.console import Console

from sharding.cli import acting, findings
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.parameters import address, node_named
from sharding.errors import Blocked, InvalidInput
from sharding.figures import duration
from sharding.inspection.findings import Finding, errors
from sharding.moving import candidate, readdress
from sharding.moving.journal import Outcome
from sharding.moving.readdress import Readdressed

PREVIEW = """\
All nodes reach {node} as {address} from now on (citus_update_node).
Writes to its shards wait for a moment; who holds them up for longer than {cancel} is cancelled.
Applications that route by pg_dist_node follow with their next look at it.
"""


@click.command("update-node", cls=ShardctlCommand, short_help="reach a node at another address")
@click.argument("node", metavar="HOST:PORT")
@click.option("--to", "target", metavar="HOST:PORT", required=True, help="Its new address.")
@click.option("--cancel-after", type=click.FloatRange(min=0.1), default=10.0, show_default=True,
              metavar="SECONDS", help="Cancel who holds locks for longer.")  # fmt: skip
@click.option("--wait", type=click.FloatRange(min=0), default=60.0, show_default=True,
              metavar="SECONDS", help="Wait so long until applications have left.")  # fmt: skip
@pass_app
def command(app: App, *, node: str, target: str, cancel_after: float, wait: float) -> int:
    """Tell all nodes that a node has another port, or has moved to new hardware.

    The server at the new address has to be the node itself, or a copy of it that takes writes;
    the old one must not take writes any more. Exits with 1 when applications are still at the
    old address in the end.
    """
    new = candidate.node_at(*address(target))
    with acting.cluster(app) as cluster:
        known = node_named(cluster.primaries(), node)
        if any(other.name == new.name for other in cluster.nodes()):
            raise InvalidInput(f"{new.name} is the address of a node already.")
        _refuse(app, readdress.inspect(cluster, known, new))
        text = PREVIEW.format(node=known.name, address=new.name, cancel=duration(cancel_after))
        preview = acting.remarks(text.splitlines())
        app.consent(f"Reach {known.name} at {new.name}?", preview=None if app.json else preview)
        with acting.runner(app, cluster, f"update-node {known.name}", None, 10.0) as runner:
            runner.journal.begin(f"update-node {known.name} --to {new.name}", moves=0, size=0)
            try:
                done = readdress.update(
                    cluster, known, new, cancel_after=timedelta(seconds=cancel_after)
                )
            except BaseException as error:
                runner.journal.end(Outcome.FAILED, str(error))
                raise
            runner.journal.end(Outcome.DONE)
        done = readdress.wait_for_clients(cluster, done, known, most=wait)
    app.show(done, lambda console: _render(console, done))
    return 1 if done.clients else 0


def _refuse(app: App, found: list[Finding]) -> None:
    if found and not app.json:
        findings.render(app.messages, found, fine="")
    if bad := errors(found):
        codes = ", ".join(sorted({finding.code for finding in bad}))
        raise Blocked(f"The address cannot be taken: {codes}. Nothing was changed.")


def _render(console: Console, done: Readdressed) -> None:
    console.print(
        f"[green]✓[/] All nodes reach {done.node} as {done.address}, after {duration(done.took)}."
    )
    if done.clients:
        console.print(
            f"[yellow]{done.clients} sessions of applications are still at {done.node}.[/]"
        )
