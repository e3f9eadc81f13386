"""What can go wrong with the stack.

StackError            one clear sentence for the person at the keyboard
├── InvalidVariable   a variable has a value that cannot be used
├── PortTaken         a port belongs to another program
└── ProgramFailed     a program did not become healthy; carries the end of its log
"""

from __future__ import annotations

from pathlib import Path


class StackError(Exception):
    """An error whose text is one sentence that says what to do."""


class InvalidVariable(StackError):
    """A variable of `make` has a value that cannot be used."""


class PortTaken(StackError):
    """Another program listens on a port that the stack needs."""

    def __init__(self, *, port: int, variable: str, purpose: str) -> None:
        super().__init__(
            f"Port {port} ({purpose}) is already taken by another program:"
            f" stop that, or choose another with {variable}=…"
        )


class ProgramFailed(StackError):
    """A program did not become healthy in time."""

    def __init__(self, *, name: str, reason: str, log: Path, lines: int = 15) -> None:
        super().__init__(
            f"{name} is not healthy: {reason}. Its log is {log}, which ends with:\n"
            f"{last_lines(log, lines)}"
        )


def last_lines(path: Path, count: int) -> str:
    """Return the last lines of a log file, indented; a sentence when there are none."""
    try:
        with path.open("rb") as log:
            log.seek(0, 2)
            log.seek(max(0, log.tell() - 16_384))
            lines = log.read().decode(errors="replace").splitlines()
    except OSError:
        return "    (no such file)"
    return "\n".join(f"    {line}" for line in lines[-count:]) or "    (the file is empty)"
