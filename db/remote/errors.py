"""What can go wrong with a deployment, and the exit codes that say so.

DeploymentError       one clear sentence, perhaps with the end of a program's output
├── Refused           nothing was changed
└── StepFailed        after the first change: what was changed is rolled back
    ├── CommandFailed     a program ended badly; carries the end of its output
    └── Interrupted       the operator wants it, or is gone
"""

from __future__ import annotations

DONE, REFUSED, ROLLED_BACK, STUCK = 0, 1, 2, 3


class DeploymentError(Exception):
    """An error whose text says what to do."""


class Refused(DeploymentError):
    """A precondition does not hold; nothing was changed."""


class StepFailed(DeploymentError):
    """A step did not get where it should."""


class CommandFailed(StepFailed):
    """A program ended badly."""

    def __init__(self, what: str, output: str, *, lines: int = 15) -> None:
        super().__init__(f"{what} failed:\n{last_lines(output, lines)}")


class Interrupted(StepFailed):
    """Somebody pressed Ctrl-C, or the connection to them is gone."""


def last_lines(text: str, count: int) -> str:
    """Return the last lines of a text, indented."""
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    return "\n".join(f"    {line}" for line in lines[-count:]) or "    (it said nothing)"
