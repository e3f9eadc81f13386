"""What is known of the step that runs, of those before it, and of the run in the end."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta

from sharding.moving.call import Call
from sharding.moving.events import Progress
from sharding.moving.progress import Meter, Sample
from sharding.moving.steps import Step

# What fails to be applied may be gone a moment later.
PAUSE = timedelta(seconds=2)


@dataclass(frozen=True, kw_only=True)
class Made:
    """One step that is done; `result` is what Citus answered, e.g. the shard that was isolated."""

    kind: str
    shard: int
    source: str
    target: str
    bytes: int
    took: timedelta
    write_block: timedelta
    result: str

    @classmethod
    def of(cls, step: Step, call: Call) -> Made:
        """Return it from the step and its call."""
        return cls(
            kind=step.kind, shard=step.shard, source=step.source.name, target=step.target.name,
            bytes=step.bytes, took=call.took, write_block=call.blocked,
            result="" if call.result is None else str(call.result),
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Done:
    """What a run brought.

    Attributes:
        outcome: done, or stopped when `--max-moves` left some.
        skipped: steps that were not needed any more.
        longest_block: for how long writes to one shard group had to wait, at most.
        left_behind: things that Citus will remove by itself when their readers are gone.
        proved: source and target of every move were compared at its switch, and were the same.
    """

    run: int
    outcome: str
    moves: int
    skipped: int
    bytes: int
    took: timedelta
    longest_block: timedelta
    left_behind: int
    results: tuple[Made, ...] = ()
    proved: bool = False


@dataclass(kw_only=True)
class Tally:
    """What the steps that are done add up to."""

    moves: int = 0
    skipped: int = 0
    longest_block: timedelta = timedelta(0)
    results: list[Made] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """Why a step was cancelled by ourselves, as clauses; it may succeed when tried again."""

    what: str
    remedy: str
    pause: timedelta = timedelta(0)

    @classmethod
    def writes_wait(cls, limit: timedelta) -> Trouble:
        """It kept writes waiting for too long."""
        return cls(
            what=f"kept writes waiting for {limit.total_seconds():g} s",
            remedy="a long transaction holds their locks (`shardctl preflight` names it)",
        )

    @classmethod
    def not_applied(cls, why: str) -> Trouble:
        """The target could not apply what it got."""
        return cls(
            what=f"could not follow the changes: {why}",
            remedy="with `--mode block_writes` there is nothing to follow, writes wait instead",
            pause=PAUSE,
        )


@dataclass(kw_only=True)
class Watch:
    """What is known of the step that runs."""

    number: int
    of: int
    step: Step
    meter: Meter
    last: Sample | None = None
    copying: float = 0.0
    trouble: Trouble | None = None

    def note(self, sample: Sample | None, seconds: float) -> None:
        """Keep what the servers said, and for how long it has been copying."""
        if sample is None:
            return
        if sample.phase == "copying":
            self.copying += seconds
        self.last = sample

    def progress(self, call: Call, p99_ms: float | None) -> Progress:
        """Return what is to be shown now."""
        last = self.last or Sample(phase="setting up", copied=0, total=self.step.bytes)
        return Progress(
            number=self.number, of=self.of, phase=last.phase, copied=last.copied,
            total=last.total or self.step.bytes, lag=last.lag,
            run_bytes=self.meter.done + min(last.copied, self.step.bytes),
            run_total=self.meter.total, rate=self.meter.rate or self._rate(last),
            left=self.meter.left(
                copied=last.copied, running=self.copying, elapsed=call.took.total_seconds()
            ),
            elapsed=call.took, blocking=bool(call.blocked), waits_for=last.waits_for,
            p99_ms=p99_ms,
        )  # fmt: skip

    def _rate(self, last: Sample) -> float | None:
        return last.copied / self.copying if self.copying else None
