"""Signals that end a run: noticed at once, acted on where it is safe."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Attention:
    """Catches Ctrl-C, SIGTERM and a lost terminal while it is entered.

    The first one asks the run to cancel its move and clean up; the second Ctrl-C leaves at once
    (the server then ends the move by itself within a second).
    """

    def __init__(self) -> None:
        self._seen: signal.Signals | None = None
        self._before: dict[signal.Signals, Any] = {}

    def __enter__(self) -> Attention:
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @property
    def seen(self) -> str:
        """The name of the first signal that came; empty when none did."""
        return self._seen.name if self._seen else ""

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._seen is not None and number == signal.SIGINT:
            raise KeyboardInterrupt
        self._seen = self._seen or signal.Signals(number)
