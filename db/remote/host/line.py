"""The line to the operator: whether they are there, and still want it.

They send `beat` every few seconds and `stop` when they press Ctrl-C. When nothing comes any more,
or the line is closed, the host goes on alone: that is, it rolls back.
"""

from __future__ import annotations

import signal
import threading
import time
from typing import TextIO

from db.remote.errors import Interrupted

SILENCE = 60.0  # seconds without a word, after which nobody is there


class Line:
    """What comes from the operator; `deaf` while it must not stop what is done (a rollback)."""

    def __init__(self, stream: TextIO) -> None:
        self.deaf = False
        self._reason = ""
        self._heard = time.monotonic()
        self._stream = stream

    def listen(self) -> threading.Thread:
        """Begin to listen; signals count as a wish to stop. Return who listens."""
        thread = threading.Thread(target=self._read, daemon=True)
        thread.start()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda number, _: self.stop(signal.Signals(number).name))
        return thread

    def check(self) -> None:
        """Raise Interrupted when it is to stop."""
        if not self._reason and time.monotonic() - self._heard > SILENCE:
            self.stop(f"nothing was heard from the operator for {SILENCE:.0f} s")
        if self._reason and not self.deaf:
            raise Interrupted(f"Interrupted: {self._reason}.")

    def sleep(self, seconds: float) -> None:
        """Wait, and raise Interrupted as soon as it is to stop."""
        ends = time.monotonic() + seconds
        while True:
            self.check()
            left = ends - time.monotonic()
            if left <= 0:
                return
            time.sleep(min(left, 0.2))

    def stop(self, reason: str) -> None:
        """Note why it is to stop; the first reason counts."""
        self._reason = self._reason or reason

    def _read(self) -> None:
        for word in self._stream:
            self._heard = time.monotonic()
            if word.strip() == "stop":
                self.stop("the operator wants it (Ctrl-C)")
        self.stop("the connection to the operator is lost")
