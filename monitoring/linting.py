"""What `make lint` checks of the monitoring.

    python -m monitoring.linting

Prometheus's own tools judge syntax and run the rules' tests, where they are installed. What they
do not know is ours: that each alert has both its tests, a page that says what to do and a panel
that shows it; that dashboards are as their code makes them; that every metric exists.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator

from monitoring import lint_dashboards, lint_rules, tools

CHECKS: tuple[Callable[[], Iterator[str]], ...] = (
    lint_rules.findings,
    lint_dashboards.findings,
    tools.findings,
)


def main() -> int:
    """Print what is wrong; return the exit status."""
    found = [finding for check in CHECKS for finding in check()]
    for finding in found:
        print(f"monitoring: {finding}")
    if not found:
        print("Monitoring: rules, their tests, runbooks and dashboards agree.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
