"""`shardctl shards [TABLE]`: where the shards stand, and how large they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import click
from rich.console import Console
from rich.text import Text

from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.parameters import node_named, table_name
from sharding.cli.tables import heading, rows, table
from sharding.figures import bar, bytes_
from sharding.inspection import placements
from sharding.inspection.placements import Layout, Placement


@dataclass(frozen=True, kw_only=True)
class Line:
    """One shard group, or one placement when a table was named.

    Attributes:
        shard: the smallest shard id of the group, by which `move` and `split` name it.
        relation: the table on the node; None for a whole group.
    """

    colocation_id: int
    shard: int
    shard_ids: tuple[int, ...]
    lowest: int | None
    highest: int | None
    node: str
    bytes: int | None
    relation: str | None = None


@click.command("shards", cls=ShardctlCommand, short_help="placements and sizes")
@click.argument("name", metavar="[TABLE]", required=False)
@click.option("--node", metavar="HOST:PORT", help="Only what stands on this node.")
@click.option("--by-size", is_flag=True, help="The largest first, instead of by hash.")
@pass_app
def command(app: App, *, name: str | None, node: str | None, by_size: bool) -> int:
    """Show the shard groups of all distributed tables, or the shards of one TABLE.

    The shards of a group cover the same hashes, stand on one node and move together. Sizes
    include indexes and TOAST and are measured now; Citus's own catalogue may be behind.
    """
    with app.cluster() as cluster:
        layout = placements.read(cluster)
    lines = _of_table(layout, table_name(layout, name)) if name else _of_groups(layout)
    if node is not None:
        wanted = node_named(layout.nodes, node).name
        lines = [line for line in lines if line.node == wanted]
    if by_size:
        lines.sort(key=lambda line: -(line.bytes or 0))
    app.show(lines, lambda console: _render(console, layout, lines))
    return 1 if layout.silent else 0


def _of_groups(layout: Layout) -> list[Line]:
    return [
        Line(
            colocation_id=group.colocation_id,
            shard=group.id,
            shard_ids=group.shard_ids,
            lowest=group.lowest,
            highest=group.highest,
            node=group.node,
            bytes=group.bytes,
        )
        for group in layout.shard_groups
    ]


def _of_table(layout: Layout, name: str) -> list[Line]:
    number = layout.table(name).colocation_id
    mine = [placement for placement in layout.placements if placement.table == name]
    return [_line(number, placement) for placement in mine]


def _line(number: int, placement: Placement) -> Line:
    return Line(
        colocation_id=number,
        shard=placement.shard_id,
        shard_ids=(placement.shard_id,),
        lowest=placement.lowest,
        highest=placement.highest,
        node=placement.node,
        bytes=placement.bytes,
        relation=placement.relation,
    )


def _render(console: Console, layout: Layout, lines: list[Line]) -> None:
    if not lines:
        console.print("No shards.")
    for number in dict.fromkeys(line.colocation_id for line in lines):
        _render_group(console, layout, [line for line in lines if line.colocation_id == number])
    for error in layout.silent.values():
        console.print(Text(error, style="red"))


def _render_group(console: Console, layout: Layout, lines: list[Line]) -> None:
    members = layout.tables_of(lines[0].colocation_id)
    of_table = lines[0].relation is not None
    if not of_table:
        heading(console, f"Group {lines[0].colocation_id}, {members[0].key_type}")
        console.print(Text(", ".join(member.name for member in members), style="dim"))
    made = table(">Shard", "Hashes from", "to", "Node", ">Bytes", "")
    console.print(rows(made, _content(lines)))


def _content(lines: list[Line]) -> Iterable[tuple[object, ...]]:
    largest = max(line.bytes or 0 for line in lines)
    for line in lines:
        yield (
            line.shard,
            _hash(line.lowest),
            _hash(line.highest),
            line.node,
            bytes_(line.bytes),
            Text(bar(line.bytes or 0, largest, width=14), style="cyan"),
        )


def _hash(value: int | None) -> Text:
    return Text("" if value is None else f"{value:>11}", style="dim")
