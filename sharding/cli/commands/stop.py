"""`shardctl stop`: end what runs, from another terminal."""

from __future__ import annotations

import time
from dataclasses import dataclass

import click
from rich.console import Console

from sharding.cli import acting
from sharding.cli.app import App, pass_app
from sharding.cli.command import ShardctlCommand
from sharding.cluster import Cluster
from sharding.connection import Row
from sharding.inspection import consistency
from sharding.moving import background, cleaning, journal, lock

NOW_SECONDS = 60.0


@dataclass(frozen=True, kw_only=True)
class Stopped:
    """What `stop --format json` shows.

    Attributes:
        run: of shardctl, that was asked to end; None when none ran.
        ended: it has ended; False while it finishes its current move.
        jobs: of Citus, that were cancelled.
        hung: those of them that Citus could not end, and that were closed by hand.
        left_behind: things that could not be removed yet.
        holder: the session that still holds the lock, and how to end it; empty when none does.
    """

    run: int | None
    ended: bool
    jobs: tuple[int, ...]
    hung: tuple[int, ...]
    left_behind: int
    holder: str = ""


@click.command("stop", cls=ShardctlCommand, short_help="end what runs, and clean up after it")
@click.option("--now", is_flag=True, help="Cancel the running move instead of waiting for it.")
@pass_app
def command(app: App, *, now: bool) -> int:
    """End the running shardctl after its current move, and Citus's own rebalance at once.

    What a cancelled move leaves is removed. With nothing running, only leftovers are removed.
    """
    with app.cluster(read_only=False) as cluster:
        holder = lock.holder(cluster.coordinator)
        jobs = background.running(cluster)
        lines = _lines(cluster, holder, jobs, now=now)
        app.consent("Stop?", preview=None if app.json else acting.remarks(lines))
        asked = _ask(cluster, holder, now=now)
        hung = [job.job_id for job in jobs if background.end(cluster, job.job_id)]
        ended = _wait(cluster) if now or holder is None else False
        left = _clean(cluster) if ended else 0
        stopped = Stopped(
            run=asked, ended=ended, jobs=tuple(job.job_id for job in jobs), hung=tuple(hung),
            left_behind=left, holder="" if ended else _holder(cluster),
        )  # fmt: skip
        app.show(stopped, lambda console: _render(console, stopped))
    return 1 if left or (now and not ended) else 0


def _lines(cluster: Cluster, holder: Row | None, jobs: list[Row], *, now: bool) -> list[str]:
    lines = []
    if holder is not None:
        when = "now: its move is cancelled and undone" if now else "after its current move"
        lines.append(f"{holder.application} (session {holder.pid}) ends {when}.")
    lines += [f"Citus's job {job.job_id} ({job.description}) is cancelled." for job in jobs]
    if cleaning.remains(cluster):
        lines.append("What moves have left behind is removed.")
    return lines or ["Nothing runs; leftovers are looked for."]


def _ask(cluster: Cluster, holder: Row | None, *, now: bool) -> int | None:
    if holder is None or not journal.exists(cluster.coordinator):
        return None
    row = journal.ask_to_stop(cluster.coordinator, now=now)
    return int(row.id) if row else None


def _wait(cluster: Cluster) -> bool:
    deadline = time.monotonic() + NOW_SECONDS
    while lock.holder(cluster.coordinator) is not None:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def _holder(cluster: Cluster) -> str:
    holder = lock.holder(cluster.coordinator)
    if holder is None:
        return ""
    return (
        f"Session {holder.pid} of the coordinator ({holder.application}) holds the lock."
        f" {lock.how_to_end(holder)}"
    )


def _clean(cluster: Cluster) -> int:
    """Remove leftovers, as nobody else acts now; NodesDisagree when none can be told."""
    consistency.require_sound(cluster)
    lock.acquire(cluster.coordinator)
    try:
        cleaning.wait_for_lost_moves(cluster, end=True)
        cleaning.wait_for_operations(cluster)
        return cleaning.clean_up(cluster)
    finally:
        lock.release(cluster.coordinator)


def _render(console: Console, stopped: Stopped) -> None:
    if stopped.run is not None:
        how = "has ended" if stopped.ended else "ends after its current move"
        console.print(f"Run {stopped.run} {how}.")
    if stopped.holder:
        console.print(f"[yellow]{stopped.holder}[/]", soft_wrap=True)
    for job in stopped.jobs:
        how = "hung and was closed" if job in stopped.hung else "was cancelled"
        console.print(f"Job {job} of Citus {how}.")
    if stopped.ended:
        console.print(
            f"[yellow]{stopped.left_behind} things cannot be removed yet: shardctl verify.[/]"
            if stopped.left_behind
            else "[green]✓[/] Nothing runs, nothing is left behind."
        )
