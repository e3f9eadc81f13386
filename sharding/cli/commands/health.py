"""`shardctl health`: how well each shard is looked after."""

from __future__ import annotations

from datetime import UTC, datetime

import click
from rich.console import Console

from sharding.cli import findings
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.parameters import table_name
from sharding.cli.tables import heading, one_line, rows, silence, table
from sharding.figures import bytes_, count, duration, percent
from sharding.inspection import placements, upkeep
from sharding.inspection.upkeep import ShardUpkeep, Upkeep

ORDERS = {
    "dead": lambda shard: -(shard.dead or 0),
    "xid": lambda shard: -shard.xid_age,
    "bloat": lambda shard: -(shard.bloat or 0),
    "bytes": lambda shard: -(shard.bytes + shard.index_bytes),
}


@click.command("health", cls=ShardctlCommand, short_help="dead rows, vacuum, xid age, index bloat")
@click.option("--table", "name", metavar="TABLE", help="Only the shards of this table.")
@click.option("--by", type=click.Choice(list(ORDERS)), default="dead", show_default=True,
              help="What the shards are sorted by.")  # fmt: skip
@click.option("--top", type=click.IntRange(min=1), default=10, show_default=True,
              help="How many shards and statements to list.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit 1 for warnings.")
@pass_app
def command(app: App, *, name: str | None, by: str, top: int, strict: bool) -> int:
    """Show each shard's dead rows, vacuum, age of transaction ids and size of indexes.

    The figures are PostgreSQL's statistics on each node; the factor of bloat is an estimate for
    B-trees. The costliest statements by shard come from pg_stat_statements, where it is installed.
    """
    with app.cluster() as cluster:
        wanted = table_name(placements.read(cluster, sizes=False), name) if name else None
        found = upkeep.inspect(cluster)
    chosen = _chosen(found, wanted, by)
    app.show(chosen, lambda console: _render(console, chosen, top))
    return 1 if found.silent else findings.exit_code(chosen.findings, strict=strict)


def _chosen(found: Upkeep, wanted: str | None, by: str) -> Upkeep:
    shards = [shard for shard in found.shards if wanted in {None, shard.table}]
    names = {shard.shard for shard in shards}
    return Upkeep(
        shards=tuple(sorted(shards, key=ORDERS[by])),
        statements=tuple(s for s in found.statements if s.shard in names),
        findings=tuple(f for f in found.findings if f.message.split()[0] in names),
        silent=found.silent,
    )


def _render(console: Console, found: Upkeep, top: int) -> None:
    made = table("Shard", "Node", ">Rows", ">Dead", "", ">Vacuumed", ">Xid age", ">Bytes",
                 ">Indexes", ">Bloat")  # fmt: skip
    console.print(rows(made, map(_shard, found.shards[:top])))
    if found.statements:
        heading(console, "Costliest statements by shard")
        made = table("Shard", ">Calls", ">Total", ">Mean", "~Statement")
        content = (
            (s.shard, count(s.calls), duration(s.seconds), duration(s.mean_ms / 1000),
             one_line(s.text))
            for s in found.statements[:top]
        )  # fmt: skip
        console.print(rows(made, content))
    console.print()
    findings.render(console, found.findings, fine="No shard needs anything.")
    silence(console, found.silent)


def _shard(shard: ShardUpkeep) -> tuple[object, ...]:
    since = datetime.now(UTC) - shard.vacuumed_at if shard.vacuumed_at else None
    return (
        shard.shard,
        shard.node,
        count(shard.live),
        count(shard.dead),
        percent(shard.dead_share),
        f"{duration(since)} ago" if since else "never",
        count(shard.xid_age),
        bytes_(shard.bytes),
        bytes_(shard.index_bytes),
        f"{shard.bloat:.1f}×" if shard.bloat else "–",
    )
