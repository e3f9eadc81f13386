"""`shardctl split`: a hot shard group in two."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import click
from rich.console import Console, Group

from sharding.cli import acting
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.commands.move import shard_of
from sharding.cli.parameters import node_named
from sharding.cli.tables import rows, table
from sharding.figures import bytes_, duration
from sharding.inspection import placements
from sharding.inspection.placements import ShardGroup
from sharding.moving import splitting
from sharding.moving.steps import Mode, Step
from sharding.moving.watch import Done

BEHAVIOUR = """\
The rows are copied beside the old shards while reads and writes go on; writes to the group, and \
to reference tables that it refers to, wait while it is switched over.
Foreign keys are made anew on the new shards, without checking the rows again.
DDL on these tables waits throughout. A statement that began before the switch may fail once \
(SQLSTATE 40001): it is to be tried again.
""".splitlines()
IDENTITY = (
    "Until the switch is over, the new shards have REPLICA IDENTITY FULL: Citus would decode"
    " updates before they have their keys."
)


@dataclass(frozen=True, kw_only=True)
class Part:
    """One of the groups that there are now."""

    shard: int
    lowest: int
    highest: int
    bytes: int | None
    node: str


@dataclass(frozen=True, kw_only=True)
class NewGroups:
    """What `split` and `isolate` show; `isolated` is the shard of the key, 0 after a split."""

    run: int
    took: timedelta
    write_block: timedelta
    groups: tuple[Part, ...]
    isolated: int = 0

    @classmethod
    def of(cls, done: Done, groups: Sequence[ShardGroup], isolated: int = 0) -> NewGroups:
        """Return it from the run and the groups after it."""
        parts = tuple(
            Part(shard=g.id, lowest=g.lowest, highest=g.highest, bytes=g.bytes, node=g.node)
            for g in groups
        )
        return cls(
            run=done.run, took=done.took, write_block=done.longest_block, groups=parts,
            isolated=isolated,
        )  # fmt: skip


@click.command("split", cls=ShardctlCommand, short_help="a hot shard group in two")
@click.argument("what", metavar="SHARD|KEY")
@click.option("--at", type=int, metavar="HASH", help="Last hash of the lower half.  [middle]")
@click.option("--to", metavar="HOST:PORT", help="Node of the upper half.  [where the group is]")
@click.option("--table", "name", metavar="TABLE", help="Whose keys KEY is one of, if several fit.")
@acting.MODE
@acting.MAX_BLOCK
@acting.tolerance_options
@pass_app
def command(
    app: App, *, what: str, at: int | None, to: str | None, name: str | None, mode: str,
    max_block: float, tolerates: acting.Tolerance,
) -> int:  # fmt: skip
    """Split a shard group at a hash, by default in the middle of its range."""
    with acting.cluster(app) as cluster:
        target = node_named(cluster.primaries(), to) if to else None
        shard = shard_of(cluster, what, name, unknown=tolerates.force)
        group = placements.read(cluster).shard_group_of(shard)
        step, point = splitting.split(cluster, shard, at=at, to=target, mode=Mode(mode))
        notes = acting.inspect(app, cluster, groups=[group.colocation_id], tolerates=tolerates)
        halves = (
            f"Shard group {group.id} ({bytes_(group.bytes)}) becomes {group.lowest} to {point} on"
            f" {step.source.name} and {point + 1} to {group.highest} on {step.target.name}."
        )
        content = Group(acting.remarks([halves, *behaviour(step), *notes]))
        app.consent("Split it?", preview=None if app.json else content)
        done = acting.run(
            app, cluster, [step], command=f"split {group.id} --at {point}", max_block=max_block
        )
        result = NewGroups.of(done, splitting.within(cluster, group))
        app.show(result, lambda console: render_groups(console, result))
    return 0


def behaviour(step: Step) -> list[str]:
    """Say what it does to the traffic and to the new shards."""
    return [*BEHAVIOUR, *([IDENTITY] if step.keyless else [])]


def render_groups(console: Console, result: NewGroups) -> None:
    """Print the groups that there are now."""
    listed = table("Shard group", ">From hash", ">To hash", ">Bytes", "Node", "")
    rows(listed, (
        [p.shard, p.lowest, p.highest, bytes_(p.bytes), p.node,
         "the key" if p.lowest == p.highest else ""]
        for p in result.groups
    ))  # fmt: skip
    console.print(listed)
    console.print(
        f"[green]✓[/] {duration(result.took)}; writes waited at most"
        f" {duration(result.write_block)} (run {result.run})."
    )
