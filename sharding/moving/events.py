"""What a run tells while it goes on. Each becomes a line of JSON, a line of text or the bar."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Event:
    """Something that happened; `event` names it for scripts."""

    event: str


@dataclass(frozen=True, kw_only=True)
class RunStarted(Event):
    """The run has its number in the journal."""

    run: int
    moves: int
    bytes: int
    event: str = "run-started"


@dataclass(frozen=True, kw_only=True)
class Said(Event):
    """A sentence: an earlier run that was interrupted, leftovers that were removed."""

    message: str
    event: str = "message"


@dataclass(frozen=True, kw_only=True)
class Waiting(Event):
    """The next move waits for the application.

    Attributes:
        p99_ms: None when nobody can tell it now; `reason` then says why.
    """

    p99_ms: float | None
    limit_ms: float
    reason: str
    event: str = "waiting"

    @property
    def sentence(self) -> str:
        """What it waits for."""
        now = f"p99 {self.p99_ms:.0f} ms" if self.p99_ms is not None else self.reason
        return f"Waiting for the application: {now} (limit {self.limit_ms:.0f} ms)."


@dataclass(frozen=True, kw_only=True)
class MoveStarted(Event):
    """A move begins: number so many of so many."""

    number: int
    of: int
    kind: str
    shard: int
    tables: tuple[str, ...]
    bytes: int
    source: str
    target: str
    event: str = "move-started"


@dataclass(frozen=True, kw_only=True)
class Progress(Event):
    """How the running move and the whole run go.

    Attributes:
        copied: bytes of the running move that are on the target.
        run_bytes: bytes of the whole run that are done, of `run_total`.
        rate: bytes per second while copying.
        left: what the run will still take.
        p99_ms: of the application; None when it is not watched.
        blocking: writes to the shard group wait right now.
    """

    number: int
    of: int
    phase: str
    copied: int
    total: int
    lag: int | None
    run_bytes: int
    run_total: int
    rate: float | None
    left: timedelta | None
    elapsed: timedelta
    blocking: bool
    waits_for: str = ""
    p99_ms: float | None = None
    event: str = "progress"


@dataclass(frozen=True, kw_only=True)
class MoveFinished(Event):
    """A move ended; `write_block` is for how long writes to it had to wait, at most."""

    number: int
    of: int
    kind: str
    shard: int
    source: str
    target: str
    bytes: int
    outcome: str
    took: timedelta
    write_block: timedelta
    error: str = ""
    event: str = "move-finished"


class Reporter(Protocol):
    """Shows events."""

    def tell(self, event: Event) -> None:
        """Show one."""
        ...

    def close(self) -> None:
        """Leave the terminal as it was."""
        ...
