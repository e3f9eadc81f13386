"""`shardctl verify`: no row lost or doubled, all nodes agree, nothing left behind."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import click
from rich.console import Console, Group
from rich.table import Table as Grid
from rich.text import Text

from sharding import repair
from sharding.cli import findings
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.parameters import table_name
from sharding.cli.tables import heading, rows, table
from sharding.cluster import Cluster
from sharding.figures import count
from sharding.inspection import checksums, consistency, leftovers, placements
from sharding.inspection.checksums import Difference, Sums
from sharding.inspection.findings import Finding
from sharding.inspection.leftover_findings import of_leftovers

CONCURRENT = (
    "Rows written while or between counting change the sums; --block-writes makes them exact."
)

# Nothing of a move: somebody's CREATE INDEX CONCURRENTLY.
SAID_ALONE = {"invalid-index"}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What `verify --format json` shows; `sums` is None with --no-checksums."""

    clean: bool
    findings: tuple[Finding, ...]
    sums: Sums | None
    differences: tuple[Difference, ...]
    fixed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


@click.command("verify", cls=ShardctlCommand, short_help="checksums, consistency, leftovers")
@click.option("--table", "tables", multiple=True, metavar="TABLE",
              help="Count the rows of this table only; may be repeated.")  # fmt: skip
@click.option("--no-checksums", is_flag=True, help="Do not read any rows.")
@click.option("--block-writes", is_flag=True,
              help="Let writers wait meanwhile: the sums are of one moment.")  # fmt: skip
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Keep the sums, e.g. before a rebalance.")  # fmt: skip
@click.option("--against", type=click.Path(path_type=Path), metavar="FILE",
              help="Compare with sums that were kept.")  # fmt: skip
@click.option("--fix", is_flag=True, help="Remove what Citus left behind, after consent;"
              " tables go to quarantine.")  # fmt: skip
@click.option("--strict", is_flag=True, help="Exit 1 for every finding, invalid indexes as well.")
@pass_app
def command(
    app: App,
    *,
    tables: tuple[str, ...],
    no_checksums: bool,
    block_writes: bool,
    save: Path | None,
    against: Path | None,
    fix: bool,
    strict: bool,
) -> int:
    """Check that no row is lost or doubled, that all nodes agree, and that nothing is left behind.

    Rows are counted and summed on their nodes, independent of their order and of how they are cut
    into shards: save the sums before a move, compare them afterwards. Every row is read once.

    Checked besides: the metadata of every node, every shard's table, the copies of reference
    tables, orphaned shards, replication slots, prepared transactions, invalid indexes.
    """
    if no_checksums and (save or against or block_writes or tables):
        raise click.UsageError("--no-checksums leaves nothing to save, compare, block or choose.")
    before = checksums.load(against) if against else None
    if save:
        checksums.require_writable(save)
    with app.cluster(read_only=not (fix or block_writes)) as cluster:
        fixed, failed = _fix(app, cluster) if fix else ((), ())
        found, sums, differences = _check(
            app, cluster, before, tables, count_rows=not no_checksums, block_writes=block_writes
        )
    if save and sums:
        checksums.save(sums, save)
    code = _verdict(found, strict=strict)
    report = Report(
        clean=not found,
        findings=tuple(found),
        sums=sums,
        differences=tuple(differences),
        fixed=fixed,
        failed=failed,
    )
    app.show(report, lambda console: _render(console, report, before))
    return code


def _verdict(found: list[Finding], *, strict: bool) -> int:
    """Whatever was left behind counts as found; what was never finished is said alone."""
    counted = [finding for finding in found if strict or finding.code not in SAID_ALONE]
    return findings.exit_code(counted, strict=True)


def _check(
    app: App,
    cluster: Cluster,
    before: Sums | None,
    tables: tuple[str, ...],
    *,
    count_rows: bool,
    block_writes: bool,
) -> tuple[list[Finding], Sums | None, list[Difference]]:
    """Look at everything, and count the rows if they are wanted."""
    layout = placements.read(cluster, sizes=False)
    wanted = [table_name(layout, name) for name in tables]
    found = consistency.inspect(cluster, layout)
    found += of_leftovers(leftovers.inspect(cluster, layout=layout))
    if not count_rows:
        return found, None, []
    if not app.json:
        app.say(Text("Reading every row…", style="dim"))
    sums = checksums.compute(cluster, layout, tables=wanted, block_writes=block_writes)
    differences = checksums.compare(before, sums) if before else []
    return found + consistency.of_sums(sums, differences), sums, differences


def _fix(app: App, cluster: Cluster) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Remove leftovers; return the reasons of the steps that were run, and failures.

    Raises:
        NodesDisagree: on where the shards are, so that nobody can say what is left over.
    """
    consistency.require_sound(cluster)
    found = leftovers.inspect(cluster)
    asides, kept = repair.for_orphans(cluster, found)
    planned = [*repair.steps(found, cluster.nodes()), *asides]
    for sentence in kept:
        app.say(Text(sentence, style="yellow"))
    if not planned:
        app.say("Nothing is left behind that could be removed.")
        return (), ()
    app.consent("Remove this?", preview=_preview(planned))
    failures = repair.run(cluster, planned)
    failed = {id(failure.step) for failure in failures}
    for failure in failures:
        app.say(Text(f"Failed: {failure.step.reason} {failure.message}", style="red"))
    return (
        tuple(step.reason for step in planned if id(step) not in failed),
        tuple(failure.message for failure in failures),
    )


def _preview(planned: list[repair.Step]) -> Group:
    grid = Grid.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for step in planned:
        body = Text(step.reason)
        body.append("\n" + "\n".join(f"{sql};" for sql in step.sql), style="dim")
        grid.add_row(step.node, body)
    return Group(Text("This will be done:", style="bold"), grid)


def _render(console: Console, report: Report, before: Sums | None) -> None:
    if report.sums is not None:
        _render_sums(console, report.sums, before)
        console.print()
    findings.render(console, report.findings, fine="All nodes agree, and nothing is left behind.")


def _render_sums(console: Console, sums: Sums, before: Sums | None) -> None:
    old = {table.table: table for table in before.tables} if before else {}
    since = f", compared with {before.taken_at:%Y-%m-%d %H:%M:%S} UTC" if before else ""
    heading(console, f"Rows at {sums.taken_at:%Y-%m-%d %H:%M:%S} UTC{since}")
    made = table("Table", ">Rows", ">Before" if before else "", ">Checksum", "")
    for entry in sums.tables:
        was = old.get(entry.table)
        verdict = Text("")
        if before:
            same = was == entry
            verdict = Text("same" if same else "differs", style="green" if same else "bold red")
        shown = count(was.rows) if was else ("–" if before else "")
        checksum = f"{int(entry.checksum) % 2**64:016x}"
        rows(made, [(entry.table, count(entry.rows), shown, checksum, verdict)])
    console.print(made)
    if not sums.writes_blocked:
        console.print(Text(CONCURRENT, style="dim"))
