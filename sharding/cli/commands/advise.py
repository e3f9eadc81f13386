"""`shardctl advise`: what the traffic says should be changed."""

from __future__ import annotations

import click
from rich.console import Console
from rich.text import Text

from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.tables import heading, one_line, silence
from sharding.figures import count, duration, percent
from sharding.inspection import advice
from sharding.inspection.advice import Advice, Advised


@click.command("advise", cls=ShardctlCommand, short_help="fan-out, two phases, hot keys")
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True,
              help="How many pieces of advice to list.")  # fmt: skip
@click.option("--statements", "most", type=click.IntRange(min=1), default=200, show_default=True,
              help="How many of the costliest statements to plan.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit 1 when there is advice.")
@pass_app
def command(app: App, *, top: int, most: int, strict: bool) -> int:
    """Say which statements ask many shards, which transactions cross nodes, which keys are hot.

    It reads pg_stat_statements and citus_stat_tenants on every node, and has Citus plan the
    statements with made-up values; nothing is executed. Comments of sqlcommenter or Marginalia
    tell which transaction a statement belongs to. It works on any Citus database.
    """
    with app.cluster() as cluster:
        found = advice.inspect(cluster, most=most)
    app.show(found, lambda console: _render(console, found, top))
    return 1 if found.silent or (strict and found.advice) else 0


def _render(console: Console, found: Advised, top: int) -> None:
    for each in found.advice[:top]:
        _one(console, each)
    if len(found.advice) > top:
        console.print(f"\n{len(found.advice) - top} more: --top {len(found.advice)} lists them.")
    if not found.advice:
        console.print("Nothing in the traffic asks for a change.")
    console.print(
        Text(
            f"\n{found.statements} statements were planned, {found.refused} of them could not be.",
            style="dim",
        )
    )
    if found.untracked:
        names = ", ".join(found.untracked)
        console.print(Text(f"Keys are not counted on {names}: see skew.", style="yellow"))
    silence(console, found.silent)


def _one(console: Console, each: Advice) -> None:
    heading(console, f"{each.code} · {percent(each.share)} · {count(each.calls)} calls,"
            f" {duration(each.seconds)}")  # fmt: skip
    console.print(Text(one_line(each.subject, most=300)), soft_wrap=True)
    if each.tag and each.tag != each.subject:
        console.print(Text(f"from {each.tag}", style="dim"))
    console.print(f"{each.message} {each.remedy}", markup=False)
