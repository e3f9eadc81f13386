"""What is said about a run: to the operator, if they are there, and into its log on the host."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from pathlib import Path

SHORTEST = 6  # characters of a secret: a shorter one would black out words


class Progress:
    """Lines with times; what is secret never stands in them.

    Args:
        elapsed: seconds since the operator began.
        secrets: values that are blacked out.
    """

    def __init__(self, log: Path, *, elapsed: float, secrets: Iterable[str]) -> None:
        self._started = time.monotonic() - elapsed
        self._log = log
        self._secrets = sorted((s for s in secrets if len(s) >= SHORTEST), key=len, reverse=True)

    def say(self, text: str) -> None:
        """Say one thing, at once."""
        for secret in self._secrets:
            text = text.replace(secret, "***")
        line = f"[{time.monotonic() - self._started:6.1f} s] {text}"
        with self._log.open("a") as log:
            log.write(line + "\n")
        with contextlib.suppress(OSError):  # nobody listens any more
            print(line, flush=True)
