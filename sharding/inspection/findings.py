"""What an inspection warns of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is."""

    ERROR = "error"  # a move would fail, or data is at stake
    WARNING = "warning"  # a move would be slow, or something should be looked at


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        code: stable name for scripts, e.g. `wal-level`.
        severity: error or warning.
        message: the sentence, with the figures that make it true.
        remedy: what to do, as a command where there is one.
        node: host:port of the node it is about; empty when it is about the cluster.
    """

    code: str
    severity: Severity
    message: str
    remedy: str
    node: str = ""


def errors(findings: list[Finding]) -> list[Finding]:
    """Return those that forbid a move."""
    return [finding for finding in findings if finding.severity is Severity.ERROR]
