"""Findings in few words."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sharding.inspection.findings import Finding, Severity
from sharding.inspection.preflight.facts import Facts

Findings = Iterator[Finding]
Check = Callable[[Facts], Findings]


def error(code: str, message: str, *, remedy: str, node: str = "") -> Finding:
    """Return a finding that forbids a move."""
    return Finding(code=code, severity=Severity.ERROR, message=message, remedy=remedy, node=node)


def warning(code: str, message: str, *, remedy: str, node: str = "") -> Finding:
    """Return a finding that should be known before a move."""
    return Finding(code=code, severity=Severity.WARNING, message=message, remedy=remedy, node=node)
