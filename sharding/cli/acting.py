"""What the acting commands share: preflight, preview, pacing, and the run itself."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar, cast

import click
from rich.console import Console, Group, RenderableType
from rich.text import Text

from sharding.cli import findings, surroundings
from sharding.cli.app import App
from sharding.cli.reporters import reporter
from sharding.cli.tables import rows, table
from sharding.cluster import Cluster
from sharding.errors import Blocked
from sharding.figures import bytes_, duration
from sharding.inspection import consistency, preflight
from sharding.inspection.findings import Finding, Severity, errors
from sharding.moving import cleaning, journal, lock, pacing
from sharding.moving.pacing import Pacer
from sharding.moving.runner import Runner
from sharding.moving.steps import Mode, Step
from sharding.moving.watch import Done

F = TypeVar("F", bound=Callable[..., Any])
# A run removes these itself before its first move.
CLEANED_FIRST = {
    "cleanup-record", "cleanup-record-of-a-lost-node",
    "stray-replication-slot", "stray-publication", "stray-subscription",
    "stray-subscription-role", "stray-prepared-transaction",
}  # fmt: skip
# citus_move_shard_placement refuses while a node lacks a reference table; add-node completes it.
REFERENCES_MISSING = "reference-tables-missing"
TAKES_NO_SHARDS, NOWHERE = "takes-no-shards", "nowhere-to-move"
PATIENCE = timedelta(seconds=5)
NEEDS_JOURNAL = "It will be journaled in schema shardctl on the coordinator, which is made now."

MODE = click.option(
    "--mode", type=click.Choice([mode.value for mode in Mode]), default=Mode.LOGICAL.value,
    show_default=True, help="force_logical copies while writes go on; block_writes stops them.",
)  # fmt: skip
MAX_BLOCK = click.option(
    "--max-block", type=click.FloatRange(min=0.1), default=10.0, show_default=True,
    metavar="SECONDS", help="Cancel and retry a move that keeps writes waiting for longer.",
)  # fmt: skip

PROVE = click.option(
    "--prove", is_flag=True,
    help="Compare source and target of each move at its switch: reads every row on both.",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Tolerance:
    """Which warnings of preflight are no objection: all of them, or those of some codes."""

    force: bool
    ignore: tuple[str, ...]

    def objections(self, found: Iterable[Finding]) -> list[Finding]:
        """Return what is left; errors always are."""
        return [f for f in found if f.code not in self.ignore or f.severity is Severity.ERROR]


def tolerance_options(command: F) -> F:
    """Add --force and --ignore, which the command gets as `tolerates`."""

    @functools.wraps(command)
    def wrapped(*arguments: Any, force: bool, ignore: tuple[str, ...], **keywords: Any) -> Any:
        tolerates = Tolerance(force=force, ignore=ignore)
        return command(*arguments, tolerates=tolerates, **keywords)

    options = (
        click.option("--ignore", multiple=True, metavar="CODE",
                     help="A warning of preflight that is none here."),
        click.option("--force", is_flag=True, help="Go on in spite of all warnings of preflight."),
    )  # fmt: skip
    for option in options:
        wrapped = option(wrapped)
    return cast(F, wrapped)


def pacing_options(command: F) -> F:
    """Add --max-p99 and where it comes from; the command gets what watches it as `watcher`."""

    @functools.wraps(command)
    def wrapped(
        *arguments: Any, max_p99: float | None, probe: str | None, prometheus: str | None,
        query: str | None, max_wait: float, **keywords: Any,
    ) -> Any:  # fmt: skip
        watcher = pacer(max_p99, probe, prometheus, query)
        if watcher:
            watcher.max_wait = timedelta(seconds=max_wait)
            watcher.require_source()
        return command(*arguments, watcher=watcher, **keywords)

    limit = "Begin a move only while the API's p99 is below this."
    for option in (
        click.option("--max-wait", type=click.FloatRange(min=0), metavar="SECONDS",
                     default=pacing.MAX_WAIT.total_seconds(), show_default=True,
                     help="End when a move would have to wait for longer."),
        click.option("--query", metavar="PROMQL",
                     help="For --prometheus; answers in seconds.  [the shop's API]"),
        click.option("--prometheus", metavar="URL",
                     help="Take the p99 from a Prometheus.  [$PROMETHEUS_URL]"),
        click.option("--probe", metavar="URL", help="Measure it by requests of our own."),
        click.option("--max-p99", type=click.FloatRange(min=0), metavar="MS", help=limit),
    ):  # fmt: skip
        wrapped = option(wrapped)
    return cast(F, wrapped)


def pacer(
    max_p99: float | None, probe: str | None, prometheus: str | None, query: str | None
) -> Pacer | None:
    """Return what watches the application; None when nothing is to be watched."""
    if max_p99 is None:
        if probe or prometheus or query:
            raise click.UsageError("--probe and --prometheus are for --max-p99.")
        return None
    if probe and prometheus:
        raise click.UsageError("Give --probe or --prometheus, not both.")
    url = prometheus or (None if probe else surroundings.lookup("PROMETHEUS_URL"))
    if probe:
        return Pacer(pacing.Probe(probe), limit_ms=max_p99)
    if url is None:
        raise click.UsageError("--max-p99 needs --probe URL or --prometheus URL.")
    return Pacer(pacing.Prometheus(url, query or pacing.QUERY), limit_ms=max_p99)


@contextlib.contextmanager
def cluster(app: App) -> Iterator[Cluster]:
    """Connect in order to change something.

    Raises:
        NodesDisagree: on where the shards are. --force does not change that.
    """
    with app.cluster(read_only=False) as connected:
        consistency.require_sound(connected)
        yield connected


def inspect(
    app: App,
    cluster: Cluster,
    *,
    groups: Iterable[int] | None = None,
    tolerates: Tolerance,
    references: bool = True,
    about: str = "",
) -> list[str]:
    """Run preflight, show what it finds, and return what the preview has to say of it.

    Args:
        groups: the colocation groups that are to be moved; None: all.
        tolerates: which warnings are no objection.
        references: a node without the reference tables is one; add-node completes it.
        about: the node that the command marks itself; those of earlier runs are in the journal.

    Raises:
        Busy: another shardctl acts.
        Blocked: there is an error; or a warning, nobody to ask, and no --force.
    """
    lock.require_free(cluster.coordinator)
    cleaning.wait_for_lost_moves(cluster, end=False)
    # Citus's daemon holds the same lock for the moment in which it removes leftovers.
    cleaning.wait_for_operations(cluster, patience=PATIENCE)
    found = preflight.inspect(cluster, groups=sorted(groups) if groups is not None else None)
    removable = [finding for finding in found if finding.code in CLEANED_FIRST]
    found = _without_own_marks(cluster, found, about)
    expected = CLEANED_FIRST if references else CLEANED_FIRST | {REFERENCES_MISSING}
    found = tolerates.objections(f for f in found if f.code not in expected)
    if found and not app.json:
        findings.render(app.messages, found, fine="")
    if bad := [*errors(found), *(f for f in found if f.code == REFERENCES_MISSING)]:
        raise Blocked(f"Preflight forbids it: {_listed(bad)}. Nothing was changed.")
    if found and app.yes and not tolerates.force:
        raise Blocked(
            f"Preflight warns: {_listed(found)}. Nothing was changed; --ignore CODE goes on in"
            " spite of one warning, --force in spite of all."
        )
    notes = [finding.message + " It is removed first." for finding in removable]
    if not journal.exists(cluster.coordinator):
        notes.append(NEEDS_JOURNAL)
    return notes


def preview(step: Step, notes: Iterable[str]) -> RenderableType:
    """Return what one step will change, for people."""
    listed = table("Do", ">Shard group", ">Bytes", "From", "To", "~Tables")
    rows(listed, [[step.kind, step.shard, bytes_(step.bytes), step.source.name, step.target.name,
                   ", ".join(step.tables)]])  # fmt: skip
    return Group(listed, remarks(notes))


def remarks(notes: Iterable[str]) -> RenderableType:
    """Return sentences as a list."""
    return Text("\n".join(f"• {note}" for note in notes))


def writes(mode: str) -> str:
    """Say what the moves do to the traffic."""
    if mode == Mode.BLOCKING.value:
        return "Writes to a shard group, and to reference tables it refers to, wait for its copy."
    return (
        "Reads go on. Writes to a shard group wait only while it is switched over, usually for"
        " less than half a second, but never shorter than the transactions that hold it open."
    )


def runner(
    app: App, cluster: Cluster, command: str, watcher: Pacer | None, max_block: float,
    *, prove: bool = False,
) -> Runner:  # fmt: skip
    """Return what drives the steps, with progress on standard error."""
    return Runner(
        cluster=cluster, reporter=reporter(app), command=command, pacer=watcher,
        max_block=timedelta(seconds=max_block), prove=prove,
    )  # fmt: skip


def run(
    app: App, cluster: Cluster, steps: list[Step], *, command: str, watcher: Pacer | None = None,
    max_block: float = 10.0, prove: bool = False,
) -> Done:  # fmt: skip
    """Do it."""
    with runner(app, cluster, command, watcher, max_block, prove=prove) as driver:
        return driver.drive(steps)


def render_done(console: Console, done: Done) -> None:
    """Print the result of a run."""
    console.print(
        f"[green]✓[/] {done.moves} done, {bytes_(done.bytes)} in {duration(done.took)}; writes to"
        f" one shard group waited at most {duration(done.longest_block)} (run {done.run})."
    )
    if done.proved:
        console.print("Source and target of each move were the same at its switch, row by row.")
    if done.skipped:
        console.print(f"{done.skipped} were no longer needed.")
    if done.left_behind:
        console.print(
            f"[yellow]{done.left_behind} old placements are still read by queries; Citus drops"
            " them when these have ended.[/]"
        )


def _without_own_marks(cluster: Cluster, found: list[Finding], about: str) -> list[Finding]:
    """A node that a drain or an addition has marked is no surprise to the next run."""
    marked = {about, *journal.marked(cluster.coordinator)}
    own = [f for f in found if f.code == TAKES_NO_SHARDS and f.node in marked]
    return [f for f in found if f not in own and not (own and f.code == NOWHERE)]


def _listed(found: list[Finding]) -> str:
    return ", ".join(sorted({finding.code for finding in found}))
