"""What has to be noted of each answered request, done behind its back.

A request leaves one small record. A thread of the process takes the records that have gathered,
several times a second: it adds them up before it counts them, and writes their lines in batches.
That is several times cheaper than counting and writing one by one, and no client waits for it. A
process that is killed loses what it has not noted yet (`EVERY`); an error never waits here.
"""

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple
from uuid import UUID

from sharding.django.work import Work

EVERY = 0.25  # seconds
MOST_WAITING = 20_000  # records; if the thread cannot follow, the oldest are dropped


class Answered(NamedTuple):
    """A request that was answered: seconds that it took, and when it ended (`time.time`)."""

    request_id: str
    method: str
    route: str
    status: int
    seconds: float
    ended: float
    work: Work
    user_id: UUID | str | None


Note = Callable[[list[Answered]], None]


class Clerk:
    """Takes records at once, and notes them a little later."""

    def __init__(self, *notes: Note) -> None:
        self._notes = notes
        self.forget()

    def forget(self) -> None:
        """Begin anew, as a forked process must: threads do not survive a fork, nor do locks."""
        self._records: deque[Answered] = deque(maxlen=MOST_WAITING)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def take(self, record: Answered) -> None:
        """Take a record; it is noted within EVERY seconds."""
        self._records.append(record)
        if self._thread is None or not self._thread.is_alive():
            self._start()

    def catch_up(self) -> None:
        """Note what has gathered, now."""
        with self._lock:
            # As many as there are now: others go on adding at the other end.
            records = [self._records.popleft() for _ in range(len(self._records))]
            for note in self._notes:
                with suppress(OSError, ValueError):  # nobody reads standard error any more
                    note(records)

    def _start(self) -> None:
        with self._lock:
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="clerk", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        while True:
            time.sleep(EVERY)
            self.catch_up()


def at_the_end(clerk: Clerk) -> None:
    """Let a clerk begin anew in a forked process, and catch up when its own ends."""
    os.register_at_fork(after_in_child=clerk.forget)
    atexit.register(clerk.catch_up)
