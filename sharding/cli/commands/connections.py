"""`shardctl connections`: the budget of connections, and the poolers in front of the nodes."""

from __future__ import annotations

import click
from rich.console import Console

from sharding.cli import findings, surroundings
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.tables import rows, silence, table
from sharding.figures import bytes_, duration
from sharding.inspection import budget
from sharding.inspection.budget import Budget, Server

OFFSET = "DATABASE_POOLER_PORT_OFFSET"


@click.command("connections", cls=ShardctlCommand, short_help="budget of connections, and poolers")
@click.option("--pooler-offset", type=click.IntRange(-65535, 65535), metavar="N",
              help=f"Port of a PgBouncer minus its node's. Default: ${OFFSET}.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit 1 for warnings.")
@pass_app
def command(app: App, *, pooler_offset: int | None, strict: bool) -> int:
    """Show what connections each node has, may need, and lets in through its PgBouncer.

    It warns when all nodes together may want more than a server takes, of queues in poolers, and
    of idle replication slots that keep much WAL. The role has to be one of admin_users or
    stats_users of PgBouncer to see that.
    """
    offset = _offset() if pooler_offset is None else pooler_offset
    with app.cluster() as cluster:
        found = budget.inspect(cluster, pooler_offset=offset or None)
    app.show(found, lambda console: _render(console, found))
    return 1 if found.silent else findings.exit_code(found.findings, strict=strict)


def _offset() -> int:
    text = surroundings.lookup(OFFSET) or "0"
    if not text.lstrip("-").isdigit():
        raise click.UsageError(f"{OFFSET}={text} is no number.")
    return int(text)


def _render(console: Console, found: Budget) -> None:
    made = table("Node", ">Clients", ">Nodes", ">Of", ">May need", ">WAL kept", "Pooler",
                 ">Clients", ">Waiting", ">Longest", ">Servers")  # fmt: skip
    console.print(rows(made, map(_server, found.servers)))
    console.print()
    findings.render(console, found.findings, fine="There are connections for everybody.")
    silence(console, found.silent)


def _server(server: Server) -> tuple[object, ...]:
    pooler = server.pooler
    beside: tuple[object, ...] = ("", "", "", "", "")
    if pooler is not None and pooler.silence:
        beside = (pooler.address, None, None, None, None)
    elif pooler is not None:
        longest = duration(pooler.longest_wait) if pooler.waiting else ""
        counted = f"{pooler.servers}/{pooler.room}"
        beside = (pooler.address, pooler.clients, pooler.waiting, longest, counted)
    return (
        server.node,
        server.clients,
        server.from_nodes,
        server.most,
        server.needed,
        bytes_(sum(server.slots.values())) if server.slots else "",
        *beside,
    )
