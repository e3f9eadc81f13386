"""Findings as people read them."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sharding.inspection.findings import Finding, Severity

_STYLES = {Severity.ERROR: "bold red", Severity.WARNING: "yellow"}


def render(console: Console, findings: Iterable[Finding], *, fine: str) -> None:
    """Print findings, each with its code and its remedy; `fine` when there are none."""
    listed = list(findings)
    if not listed:
        console.print(Text(f"✓ {fine}", style="green"))
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for (severity, code, remedy), messages in _alike(listed).items():
        body = Text("\n".join(messages))
        body.append(f"\n{code} · {remedy}", style="dim")
        grid.add_row(Text(severity.value, style=_STYLES[severity]), body)
    console.print(grid)


def _alike(findings: list[Finding]) -> dict[tuple[Severity, str, str], list[str]]:
    """What every node needs alike is said once."""
    groups: dict[tuple[Severity, str, str], list[str]] = {}
    for finding in findings:
        key = (finding.severity, finding.code, finding.remedy)
        groups.setdefault(key, []).append(finding.message)
    return groups


def summary(findings: Iterable[Finding]) -> str:
    """Return `2 errors, 1 warning`."""
    listed = list(findings)
    parts = []
    for severity in Severity:
        number = sum(finding.severity is severity for finding in listed)
        if number:
            parts.append(f"{number} {severity.value}{'' if number == 1 else 's'}")
    return ", ".join(parts) or "nothing found"


def exit_code(findings: Iterable[Finding], *, strict: bool = False) -> int:
    """Return 1 when there is an error, or with `strict` a warning."""
    return int(any(strict or finding.severity is Severity.ERROR for finding in findings))
