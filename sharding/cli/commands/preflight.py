"""`shardctl preflight`: what would make a move fail or stall."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import click
from rich.console import Console
from rich.text import Text

from sharding.cli import findings
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.parameters import BYTES, group_ids
from sharding.inspection import placements, preflight
from sharding.inspection.findings import Finding


@dataclass(frozen=True, kw_only=True)
class Report:
    """What `preflight --format json` shows."""

    ready: bool
    findings: tuple[Finding, ...]


@click.command("preflight", cls=ShardctlCommand, short_help="what would make a move fail or stall")
@click.option("--group", "groups", multiple=True, metavar="TABLE",
              help="Only the colocation group of this table; may be repeated.")  # fmt: skip
@click.option("--wal-headroom", type=BYTES, metavar="SIZE",
              help="Free space to want beside the largest shard group, e.g. 10GB."
              " Default: twice the shard group plus max_wal_size.")  # fmt: skip
@click.option("--long", type=click.FloatRange(min=0), default=30.0, show_default=True,
              metavar="SECONDS", help="From which age on a transaction is long.")  # fmt: skip
@click.option("--ignore", multiple=True, metavar="CODE", help="Leave out findings of this code.")
@click.option("--strict", is_flag=True, help="Exit 1 for warnings as well.")
@pass_app
def command(
    app: App,
    *,
    groups: tuple[str, ...],
    wal_headroom: int | None,
    long: float,
    ignore: tuple[str, ...],
    strict: bool,
) -> int:
    """Find everything that would make a move of shards fail, stall, or stop the traffic.

    Errors forbid a move, warnings should be known before; every finding has a stable code.
    """
    with app.cluster() as cluster:
        wanted = group_ids(placements.read(cluster, sizes=False), groups) if groups else None
        found = [
            finding
            for finding in preflight.inspect(
                cluster, groups=wanted, wal_headroom=wal_headroom, long=timedelta(seconds=long)
            )
            if finding.code not in ignore
        ]
    code = findings.exit_code(found)
    report = Report(ready=code == 0, findings=tuple(found))
    app.show(report, lambda console: _render(console, report))
    return findings.exit_code(found, strict=strict)


def _render(console: Console, report: Report) -> None:
    findings.render(console, report.findings, fine="Nothing stands in the way of a move.")
    if report.findings:
        verdict = "Shards can be moved" if report.ready else "Shards cannot be moved"
        style = "green" if report.ready else "bold red"
        console.print()
        console.print(Text.assemble((verdict, style), f": {findings.summary(report.findings)}."))
