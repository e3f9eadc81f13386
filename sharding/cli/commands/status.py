"""`shardctl status`: the cluster on one page."""

from __future__ import annotations

import click
from rich.console import Console
from rich.text import Text

from sharding.cli import findings
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.tables import heading, mark, rows, table
from sharding.figures import bytes_, count
from sharding.inspection import overview
from sharding.inspection.activity import Job, Move
from sharding.inspection.overview import NodeStatus, Overview


@click.command("status", cls=ShardctlCommand, short_help="nodes, groups, jobs and warnings")
@click.option("--strict", is_flag=True, help="Exit 1 for warnings as well.")
@pass_app
def command(app: App, *, strict: bool) -> int:
    """Show nodes, who reaches whom, colocation groups, what runs, and what is wrong.

    A node that is down is reported with the figures of the others, within seconds.
    """
    with app.cluster() as cluster:
        found = overview.inspect(cluster)
    app.show(found, lambda console: render(console, found))
    return findings.exit_code(found.findings, strict=strict)


def render(console: Console, found: Overview) -> None:
    """Draw the page."""
    console.print(
        Text.assemble(
            (f"Citus {found.citus}", "bold"),
            f" on PostgreSQL {found.postgresql.split()[0]} · database {found.database}",
        )
    )
    heading(console, "Nodes")
    made = table("#", "Node", "Role", "Up", ">Shards", ">Bytes", ">Conn.", ">Disk free")
    console.print(rows(made, (_node(i, node) for i, node in enumerate(found.nodes, 1))))
    _health(console, found)
    heading(console, "Colocation groups")
    groups = table(">Id", "Key", ">Shards", ">Bytes", "~Tables")
    rows(
        groups,
        ((g.id, g.key_type, g.shards, bytes_(g.bytes), _list(g.tables)) for g in found.groups),
    )
    if found.reference_tables:
        rows(groups, [("", "reference", "", "", _list(found.reference_tables))])
    console.print(groups)
    _activity(console, found.jobs, found.moves)
    heading(console, "Warnings")
    findings.render(console, found.findings, fine="Nothing is wrong.")


def _node(number: int, node: NodeStatus) -> tuple[object, ...]:
    used = None if node.connections is None else f"{node.connections}/{node.max_connections}"
    shards = count(node.shards) if node.shards or node.takes_shards else ""
    return (
        Text(str(number), style="dim"),
        node.name,
        node.role,
        mark(node.is_up),
        shards,
        bytes_(node.bytes),
        used,
        bytes_(node.disk_free),
    )


def _health(console: Console, found: Overview) -> None:
    names = [node.name for node in found.nodes]
    works = {(link.source, link.target): link.works for link in found.links}
    if works and all(works.values()):
        console.print(Text("Every node reaches every node.", style="dim"))
        return
    heading(console, "Who reaches whom (from row to column)")
    made = table("#", "From", *(str(i) for i in range(1, len(names) + 1)))
    for number, source in enumerate(names, 1):
        marks = [_mark(works.get((source, target))) for target in names]
        made.add_row(Text(str(number), style="dim"), source, *marks)
    console.print(made)


def _mark(works: bool | None) -> Text:
    return Text("?", style="dim") if works is None else mark(works)


def _activity(console: Console, jobs: tuple[Job, ...], moves: tuple[Move, ...]) -> None:
    if not jobs and not moves:
        return
    heading(console, "Running")
    for job in jobs:
        line = f"Job {job.id} is {job.state}: {job.done} of {job.tasks} tasks done"
        failed = f", {job.retries} retries: {job.message}" if job.retries else ""
        console.print(Text(line + failed))
    if moves:
        made = table("Shard", "Table", "From", "To", "Phase", ">Copied")
        content = (
            (m.shard_id, m.table, m.source, m.target, m.status, bytes_(m.target_bytes))
            for m in moves
        )
        console.print(rows(made, content))


def _list(names: tuple[str, ...]) -> str:
    return ", ".join(names)
