"""Drives the steps of a run one by one: paced, watched, journaled, and ended cleanly.

Invariants:
- One step at a time, each from the cluster's real state: a step whose shard group is no longer
  where the plan saw it is skipped.
- However a run ends, its move has ended on the server before we go, and what it left is removed.
"""

from __future__ import annotations

import contextlib
import itertools
import time
from dataclasses import dataclass, field
from datetime import timedelta

from sharding.cluster import Cluster
from sharding.errors import CoordinatorLost, Interrupted, MoveFailed, Stopped, WaitedTooLong
from sharding.inspection.speed import measure
from sharding.moving import cleaning, lock, plans
from sharding.moving.attention import Attention
from sharding.moving.call import Call
from sharding.moving.events import (
    Event,
    MoveFinished,
    MoveStarted,
    Reporter,
    RunStarted,
    Said,
    Waiting,
)
from sharding.moving.guard import Guard
from sharding.moving.journal import Journal, Outcome
from sharding.moving.pacing import Pacer
from sharding.moving.progress import Meter, Observer
from sharding.moving.steps import Step
from sharding.moving.watch import Done, Made, Tally, Trouble, Watch

LOOK_SECONDS = 0.05
SAMPLE_SECONDS = 0.25
ASK_SECONDS = 1.0
WAIT_SECONDS = 1.0
MAX_BLOCK = timedelta(seconds=10)
ATTEMPTS = 3
# A node may be down; what cannot be removed now is said, and removed by the next run.
AFTER_FAILURE = timedelta(seconds=5)
NOW = "now"
UNDONE = "The servers undo what ran; when it is back, the same command goes on."


@dataclass(kw_only=True)
class Runner:
    """One run: enter it to take the lock and begin the journal, then `drive` the steps.

    Attributes:
        max_block: a step that keeps writes waiting for longer is cancelled and tried again.
        prove: compare source and target of every move at its switch.
    """

    cluster: Cluster
    reporter: Reporter
    command: str
    pacer: Pacer | None = None
    max_block: timedelta = MAX_BLOCK
    prove: bool = False
    journal: Journal = field(init=False)
    _attention: Attention = field(init=False, default_factory=Attention)
    _asked: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        self.journal = Journal(self.cluster.coordinator)

    def __enter__(self) -> Runner:
        lock.acquire(self.cluster.coordinator)
        self.journal.prepare()
        self._attention.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._attention.__exit__()
        with contextlib.suppress(OSError):
            self.reporter.close()
        if self.pacer:
            self.pacer.close()

    def drive(self, steps: list[Step]) -> Done:
        """Run the steps.

        Raises:
            MoveFailed: a step failed; those before it stay done, it was undone.
            Stopped: `shardctl stop` asked for it.
            Interrupted: Ctrl-C, a lost terminal or a signal.
            CoordinatorLost: it went away; the servers undo what ran.
        """
        try:
            return self._drive(steps)
        except CoordinatorLost as error:
            raise CoordinatorLost(f"{error} {UNDONE}") from error

    def _drive(self, steps: list[Step]) -> Done:
        began = time.monotonic()
        size = sum(step.bytes for step in steps)
        self._begin(len(steps), size)
        tally = Tally()
        speed = measure(self.cluster)
        meter = Meter(
            (step.bytes for step in steps), overhead=speed.setup_seconds,
            rate=speed.bytes_per_second,
        )  # fmt: skip
        try:
            for number, step in enumerate(steps, 1):
                self._one(number, len(steps), step, meter, tally)
        except BaseException as error:
            self._give_up(error)
            raise
        left = cleaning.clean_up(self.cluster)
        self.journal.end(Outcome.DONE)
        return Done(
            run=self.journal.run,
            outcome=Outcome.DONE.value,
            moves=tally.moves,
            skipped=tally.skipped,
            bytes=meter.done,
            took=timedelta(seconds=time.monotonic() - began),
            longest_block=tally.longest_block,
            left_behind=left,
            results=tuple(tally.results),
            proved=self.prove,
        )

    def checkpoint(self) -> None:
        """Between two pieces of work: end here when somebody has asked for it."""
        if self._attention.seen:
            raise Interrupted(f"Interrupted by {self._attention.seen}; nothing was running.")
        if self.journal.asked_to_stop():
            raise Stopped(f"Run {self.journal.run} was ended by `shardctl stop`.")

    def _begin(self, moves: int, size: int) -> None:
        for lost in self.journal.begin(self.command, moves=moves, size=size):
            self._tell(Said(message=(
                f"Run {lost.run} ({lost.command}, begun {lost.started_at:%Y-%m-%d %H:%M}) was"
                f" interrupted after {lost.moves_done} of {lost.moves_planned} moves;"
                " going on from where the cluster stands."
            )))  # fmt: skip
        cleaning.wait_for_lost_moves(self.cluster, end=True)
        if cleaning.remains(self.cluster) or cleaning.untracked(self.cluster):
            cleaning.clean_up(self.cluster)
            self._tell(Said(message="Removed what an earlier move had left behind."))
        self._tell(RunStarted(run=self.journal.run, moves=moves, bytes=size))

    def _one(self, number: int, of: int, step: Step, meter: Meter, tally: Tally) -> None:
        self.checkpoint()
        self._wait_for_application()
        if not plans.is_needed(self.cluster, step):
            meter.skip()
            tally.skipped += 1
            self._tell(Said(message=f"{step.summary}: no longer needed, skipped."))
            return
        watch = Watch(number=number, of=of, step=step, meter=meter)
        self._tell(MoveStarted(
            number=number, of=of, kind=step.kind, shard=step.shard, tables=step.tables,
            bytes=step.bytes, source=step.source.name, target=step.target.name,
        ))  # fmt: skip
        self.journal.begin_move(
            number, kind=step.kind, shard=step.shard, tables=step.tables,
            source=step.source.name, target=step.target.name, size=step.bytes,
        )  # fmt: skip
        call = self._attempts(watch)
        meter.finish(step.bytes, took=call.took.total_seconds(), copying=watch.copying)
        tally.moves += 1
        tally.results.append(Made.of(step, call))
        tally.longest_block = max(tally.longest_block, call.blocked)

    def _attempts(self, watch: Watch) -> Call:
        """Run the step; once more, and once again, when it was in trouble that may pass."""
        for attempt in itertools.count(1):
            call = self._call(watch)
            if call.error is None:
                break
            failed = f"{watch.step.summary} failed and was undone:"
            if (trouble := watch.trouble) is None:
                raise MoveFailed(f"{failed} {call.error}")
            self._tell(Said(message=(
                f"{watch.step.summary} {trouble.what} and was cancelled"
                f" (attempt {attempt} of {ATTEMPTS})."
            )))  # fmt: skip
            if attempt == ATTEMPTS:
                raise MoveFailed(f"{failed} it {trouble.what}, {ATTEMPTS} times; {trouble.remedy}.")
            cleaning.clean_up(self.cluster)
            self._pause(trouble.pause)
        return call

    def _pause(self, length: timedelta) -> None:
        end = time.monotonic() + length.total_seconds()
        while time.monotonic() < end:
            self.checkpoint()
            time.sleep(SAMPLE_SECONDS)

    def _call(self, watch: Watch) -> Call:
        step = watch.step
        name = f"shardctl: run {self.journal.run} {step.kind} {watch.number}"
        call = Call(self.cluster, step.sql, list(step.parameters), name=name)
        observer, guard = Observer(self.cluster), Guard(self.cluster, step, prove=self.prove)
        outcome, error = Outcome.CANCELLED, ""
        try:
            call.start()
            self._watch(call, observer, guard, watch)
            outcome, error = Outcome.FAILED if call.error else Outcome.DONE, str(call.error or "")
            if call.error is None:
                guard.prove()
        except (Interrupted, Stopped) as ending:
            call.cancel()
            if call.error is None:
                outcome = Outcome.DONE
                raise type(ending)("Ended; the running move was done a moment before.") from ending
            raise
        except BaseException:
            call.cancel()
            raise
        finally:
            observer.close()
            guard.close()
            call.close()
            self._finished(call, watch, outcome, error)
        return call

    def _finished(self, call: Call, watch: Watch, outcome: Outcome, error: str) -> None:
        step = watch.step
        self.journal.end_move(
            watch.number, outcome, took=call.took, blocked=call.blocked, error=error
        )
        self._tell(MoveFinished(
            number=watch.number, of=watch.of, kind=step.kind, shard=step.shard,
            source=step.source.name, target=step.target.name, bytes=step.bytes,
            outcome=outcome.value, took=call.took, write_block=call.blocked, error=error,
        ))  # fmt: skip

    def _watch(self, call: Call, observer: Observer, guard: Guard, watch: Watch) -> None:
        """Until the call ends: look for the write block, tell the progress, obey."""
        sampled, watch.trouble = 0.0, None
        while not call.wait(LOOK_SECONDS):
            call.look()
            self._obey()
            if why := guard.look(call.backend):
                watch.trouble = Trouble.not_applied(why)
            elif call.blocked > self.max_block:
                watch.trouble = Trouble.writes_wait(self.max_block)
            if watch.trouble:
                call.cancel()
                return
            if time.monotonic() - sampled >= SAMPLE_SECONDS:
                sample = observer.sample(call.backend, watch.step.source)
                watch.note(sample, time.monotonic() - sampled if sampled else 0.0)
                sampled = time.monotonic()
                self._tell(watch.progress(call, self._p99()))

    def _tell(self, event: Event) -> None:
        """Show an event; a terminal that is gone must not keep us from cleaning up."""
        with contextlib.suppress(OSError):
            self.reporter.tell(event)

    def _obey(self) -> None:
        if self._attention.seen:
            raise Interrupted(
                f"Interrupted by {self._attention.seen}: the running move was cancelled and undone."
            )
        if time.monotonic() - self._asked < ASK_SECONDS:
            return
        self._asked = time.monotonic()
        if self.journal.asked_to_stop() == NOW:
            raise Stopped("`shardctl stop --now` cancelled the running move; it was undone.")

    def _p99(self) -> float | None:
        return self.pacer.read().p99_ms if self.pacer else None

    def _wait_for_application(self) -> None:
        if self.pacer is None:
            return
        began, waited = time.monotonic(), False
        while not self.pacer.allows(latency := self.pacer.read()):
            waiting = Waiting(
                p99_ms=latency.p99_ms, limit_ms=self.pacer.limit_ms, reason=latency.reason
            )
            self._tell(waiting)
            self.journal.note(waiting.sentence)
            waited = True
            self.checkpoint()
            if time.monotonic() - began > self.pacer.max_wait.total_seconds():
                raise WaitedTooLong(f"{waiting.sentence} It did so for too long (--max-wait).")
            time.sleep(WAIT_SECONDS)
        if waited:
            self.journal.note("")

    def _give_up(self, error: BaseException) -> None:
        self._tell(Said(message="Ending: what the move has left behind is removed."))
        left = cleaning.clean_up(self.cluster, patience=AFTER_FAILURE)
        self.journal.end(Outcome.of(error), str(error))
        if left:
            self._tell(Said(message=(
                f"{left} things that Citus cannot remove now stay until it can (a node is down, or"
                " a query reads them); `shardctl verify --fix` tries again."
            )))  # fmt: skip
