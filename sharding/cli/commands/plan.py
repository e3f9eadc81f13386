"""`shardctl plan`: the moves a rebalance would make, what they cost, and how even it gets."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, TypeVar, cast

import click
from rich.console import Console
from rich.text import Text

from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.parameters import BYTES, node_named
from sharding.cli.tables import heading, rows, table
from sharding.figures import bar, bytes_, duration
from sharding.inspection import plan
from sharding.inspection.plan import BY_SHARDS, BY_SIZE, Plan
from sharding.inspection.speed import Speed

F = TypeVar("F", bound=Callable[..., Any])
STRATEGIES = {"size": BY_SIZE, "shards": BY_SHARDS}


def evenness_options(command: F) -> F:
    """Add what is made even, and how much: the same for `plan` and `rebalance`."""

    @functools.wraps(command)
    def wrapped(
        *arguments: Any, by: str | None, by_size: bool, by_shards: bool, strategy: str | None,
        **keywords: Any,
    ) -> Any:  # fmt: skip
        named = [strategy, STRATEGIES.get(by or ""), BY_SIZE if by_size else None,
                 BY_SHARDS if by_shards else None]  # fmt: skip
        chosen = {name for name in named if name}
        if len(chosen) > 1:
            raise click.UsageError("Choose one of --by size, --by shards and --strategy.")
        return command(*arguments, strategy=next(iter(chosen), None), **keywords)

    for option in (
        click.option("--threshold", type=click.FloatRange(0, 1), metavar="SHARE",
                     help="How uneven nodes may stay, e.g. 0.05. Default: the strategy's."),
        click.option("--strategy", metavar="NAME",
                     help="A strategy of the cluster's own (pg_dist_rebalance_strategy)."),
        click.option("--by-shards", is_flag=True, hidden=True),
        click.option("--by-size", is_flag=True, hidden=True),
        click.option("--by", type=click.Choice(list(STRATEGIES)),
                     help="What is made even: bytes, or numbers of shards."),
    ):  # fmt: skip
        wrapped = option(wrapped)
    return cast(F, wrapped)


@click.command("plan", cls=ShardctlCommand, short_help="what a rebalance would move, and its cost")
@evenness_options
@click.option("--drain", metavar="HOST:PORT", help="Empty this node instead of evening out.")
@click.option("--throughput", type=BYTES, metavar="SIZE",
              help="Bytes per second to reckon with, e.g. 50MB. Default: as earlier moves"
              " were, by shardctl's journal.")  # fmt: skip
@pass_app
def command(
    app: App,
    *,
    strategy: str | None,
    threshold: float | None,
    drain: str | None,
    throughput: int | None,
) -> int:
    """Show the moves a rebalance would make, their bytes and time, and the balance afterwards.

    Nothing is changed. --drain asks the server inside a transaction that is rolled back.
    """
    if throughput is not None and throughput <= 0:
        raise click.UsageError("--throughput must be more than nothing.")
    with app.cluster(read_only=drain is None) as cluster:
        node = node_named(cluster.primaries(), drain) if drain else None
        found = plan.inspect(
            cluster,
            strategy=strategy,
            threshold=threshold,
            drain=node,
            throughput=throughput,
        )
    app.show(found, lambda console: render(console, found))
    return 0


def render(console: Console, found: Plan) -> None:
    """Print the moves, the balance and what to expect."""
    if not found.moves:
        what = f"{found.drains} holds no shards" if found.drains else "The cluster is balanced"
        console.print(Text(f"✓ {what} ({found.strategy}): nothing would move.", style="green"))
        return
    what = f"Drain of {found.drains}" if found.drains else "Rebalance"
    heading(console, f"{what}, {found.strategy}")
    made = table(">#", ">Shard", ">Bytes", "From", "To", ">Time", "~Tables")
    content = (
        (m.number, m.shard, bytes_(m.bytes), m.source, m.target, duration(m.seconds),
         _names(m.tables))
        for m in found.moves
    )  # fmt: skip
    console.print(rows(made, content))
    _balance(console, found)
    _expectation(console, found)


def _names(tables: tuple[str, ...]) -> str:
    """Two names are enough to recognise a group by."""
    more = len(tables) - 2
    return ", ".join(tables[:2]) + (f" +{more}" if more > 0 else "")


def _balance(console: Console, found: Plan) -> None:
    heading(console, "Balance")
    largest = max(max(n.bytes_before, n.bytes_after) for n in found.nodes)
    made = table("Node", ">Shards", ">Bytes", "", ">After", ">Bytes", "")
    for node in found.nodes:
        cells: list[object] = [node.node]
        for shards, size in (
            (node.shards_before, node.bytes_before),
            (node.shards_after, node.bytes_after),
        ):
            cells += [shards, bytes_(size), Text(bar(size, largest, width=9), style="cyan")]
        rows(made, [cells])
    console.print(made)


def _expectation(console: Console, found: Plan) -> None:
    stall = found.stall
    number = len(found.moves)
    heading(console, "What to expect")
    console.print(
        f"{number} move{'' if number == 1 else 's'}, {bytes_(found.bytes)},"
        f" about {duration(found.seconds)} one after another."
    )
    console.print(Text(_speed(found.speed), style="dim"))
    if found.speed.missed:
        console.print(Text(found.speed.missed, style="yellow"))
    console.print(
        f"Writes to a shard group wait about {duration(stall.seconds)} when it changes place."
    )
    detail = f"Catch-up {duration(stall.catch_up_seconds)}"
    if stall.longest_writer_seconds >= 0.001:
        detail += (
            f", and the oldest writing transaction is {duration(stall.longest_writer_seconds)} old"
        )
    console.print(
        Text(
            f"{detail}. A move waits for every transaction that has written to the group, and new"
            " writes to it wait behind; reads never wait.",
            style="dim",
        )
    )


def _speed(speed: Speed) -> str:
    rate = f"{bytes_(speed.bytes_per_second)}/s"
    setup = f" and {duration(speed.setup_seconds)} per move"
    return {
        "journal": f"At {rate}{setup}, as the latest moves of this cluster were (shardctl jobs).",
        "given": f"At the given {rate}{setup}.",
        "default": f"At {rate}{setup}: a guess, as no move is in shardctl's journal yet.",
    }[speed.source]
