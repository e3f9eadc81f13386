"""`shardctl jobs`: what was moved, and what moves now."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cli.tables import heading, rows, table
from sharding.connection import Row
from sharding.errors import InvalidInput
from sharding.figures import bytes_, duration
from sharding.inspection import journaled
from sharding.moving import background, journal, lock
from sharding.moving.background import Job


@dataclass(frozen=True, kw_only=True)
class Run:
    """A run of shardctl.

    Attributes:
        outcome: running, done, stopped, cancelled, failed, interrupted; a run that says running
            while no shardctl acts is shown as lost: the next one marks it interrupted.
        longest_write_block: seconds for which writes to one shard group waited, at most.
    """

    id: int
    command: str
    role: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    moves_done: int
    moves_planned: int
    bytes_done: int
    seconds: float | None
    longest_write_block: float | None
    detail: str


@dataclass(frozen=True, kw_only=True)
class History:
    """What `jobs --format json` shows.

    Attributes:
        moves: those of the run asked for.
        missed: why runs and moves are not shown, when they cannot be read.
    """

    acting: str | None
    runs: tuple[Run, ...]
    moves: tuple[dict[str, Any], ...]
    citus_jobs: tuple[Job, ...]
    missed: str = ""


@click.command("jobs", cls=ShardctlCommand, short_help="what was moved, and what moves now")
@click.option("--limit", type=click.IntRange(min=1), default=10, show_default=True)
@click.option("--run", "number", type=int, metavar="N", help="The moves of one run.")
@pass_app
def command(app: App, *, limit: int, number: int | None) -> int:
    """Show the runs of shardctl and the background jobs of Citus, the newest first."""
    with app.cluster() as cluster:
        session = cluster.coordinator
        holder = lock.holder(session)
        has_journal = journaled.is_readable(session)
        history = History(
            acting=holder.application if holder else None,
            runs=tuple(_run(row, acting=holder is not None)
                       for row in journal.runs(session, limit)) if has_journal else (),
            moves=tuple(row._asdict() for row in journal.moves(session, number))
            if has_journal and number is not None else (),
            citus_jobs=tuple(background.jobs(cluster, limit)),
            missed=journaled.missed(session),
        )  # fmt: skip
        if number is not None and has_journal and not journal.is_known(session, number):
            raise InvalidInput(f"There is no run {number}; `shardctl jobs` lists them.")
    app.show(history, lambda console: _render(console, history, number))
    return 0


def _run(row: Row, *, acting: bool) -> Run:
    lost = row.outcome == journal.Outcome.RUNNING.value and not acting
    return Run(
        id=row.id, command=row.command, role=row.role, started_at=row.started_at,
        ended_at=row.ended_at, outcome="lost" if lost else row.outcome,
        moves_done=row.moves_done, moves_planned=row.moves_planned, bytes_done=row.bytes_done,
        seconds=row.seconds, longest_write_block=row.longest_write_block, detail=row.detail,
    )  # fmt: skip


def _render(console: Console, history: History, number: int | None) -> None:
    if number is not None:
        _moves(console, history, number)
        return
    _runs(console, history)
    _citus(console, history)


def _runs(console: Console, history: History) -> None:
    heading(console, "Runs of shardctl")
    if not history.runs:
        console.print(history.missed or "None yet.")
        return
    listed = table(">Run", "~Command", "Begun", "Outcome", ">Moves", ">Bytes", ">Writes wait")
    console.print(rows(listed, (
        [r.id, r.command, f"{r.started_at:%m-%d %H:%M}", _outcome(r.outcome),
         f"{r.moves_done}/{r.moves_planned}", bytes_(r.bytes_done),
         duration(r.longest_write_block)]
        for r in history.runs
    )))  # fmt: skip
    for run in history.runs:
        if run.detail:
            console.print(Text(f"{run.id}: {run.detail}", style="dim"))


def _moves(console: Console, history: History, number: int) -> None:
    heading(console, f"Moves of run {number}")
    listed = table(">#", "~Do", ">Bytes", ">Time", ">Writes wait", "Outcome")
    console.print(rows(listed, (
        [m["number"], f"{m['kind']} {m['shard']} {m['source']} → {m['target']}",
         bytes_(m["bytes"]), duration(m["seconds"]), duration(m["write_block_seconds"]),
         _outcome(m["outcome"])]
        for m in history.moves
    )))  # fmt: skip
    for move in history.moves:
        if move["error"]:
            console.print(Text(f"{move['number']}: {move['error']}", style="dim"))


def _citus(console: Console, history: History) -> None:
    if not history.citus_jobs:
        return
    heading(console, "Background jobs of Citus")
    for job in history.citus_jobs:
        done = sum(task.status == "done" for task in job.tasks)
        console.print(Text.assemble(
            f"{job.id}  {job.description}  ", _outcome(job.state),
            f"  {done}/{len(job.tasks)} tasks done",
        ))  # fmt: skip
        for task in job.tasks:
            if task.explanation or (task.message and task.status == "error"):
                note = task.explanation or "failed for good"
                console.print(f"   task {task.id}: {note}", highlight=False)
                message = next(iter(task.message.strip().splitlines()), "")
                console.print(Text(f"   {message}", style="dim"))
    if any(task.retries for job in history.citus_jobs for task in job.tasks):
        console.print(Text(background.RETRIES, style="dim"))


def _outcome(outcome: str) -> Text:
    good = {"done", "finished"}
    open_ = {"running", "scheduled"}
    style = "green" if outcome in good else "cyan" if outcome in open_ else "yellow"
    return Text(outcome, style=style)
