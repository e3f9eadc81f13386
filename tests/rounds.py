"""The rounds of a long run of tests as a Markdown table, from the JUnit files that pytest wrote.

    python3 -m tests.rounds .run-nightly/chaos-1.xml .run-nightly/chaos-2.xml

Needs nothing but Python. A line for each round, and the names of what failed below; a round that
left no file, or half of one, did not end, and counts as failed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from xml.etree import ElementTree


@dataclass(frozen=True)
class Round:
    """What one file says; `broken` says why it says nothing."""

    name: str
    tests: int = 0
    skipped: int = 0
    seconds: float = 0.0
    failed: list[str] = field(default_factory=list)
    broken: str = ""

    @property
    def green(self) -> bool:
        """Whether it ended, something ran, and all of that passed."""
        return not self.broken and not self.failed and self.tests > self.skipped


def read(path: Path) -> Round:
    """Return the round of a file."""
    try:
        root = ElementTree.parse(path).getroot()  # pytest's own file
    except (OSError, ElementTree.ParseError) as error:
        return Round(path.stem, broken=f"did not end ({error})")
    cases = list(root.iter("testcase"))
    suites = list(root.iter("testsuite"))
    return Round(
        path.stem,
        tests=len(cases),
        skipped=sum(case.find("skipped") is not None for case in cases),
        seconds=sum(float(suite.get("time", 0)) for suite in suites),
        failed=[_name(case) for case in cases if _failed(case)],
    )


def table(rounds: Sequence[Round]) -> str:
    """Return the table, and what failed below it."""
    lines = ["| round | tests | skipped | failed | seconds |", "|---|---:|---:|---:|---:|"]
    for each in rounds:
        result = each.broken or f"{len(each.failed)}"
        lines.append(
            f"| {each.name} | {each.tests} | {each.skipped} | {result} | {each.seconds:,.0f} |"
        )
    lines += [f"\n- {each.name}: `{name}`" for each in rounds for name in each.failed]
    return "\n".join(lines)


def main(arguments: Sequence[str]) -> int:
    """Print the table; return 1 when a round was not green, 2 when none is named."""
    if not arguments or {"-h", "--help"} & set(arguments):
        print(__doc__)
        return 0 if arguments else 2
    rounds = [read(Path(argument)) for argument in arguments]
    print(table(rounds))
    return 0 if all(each.green for each in rounds) else 1


def _failed(case: ElementTree.Element) -> bool:
    return case.find("failure") is not None or case.find("error") is not None


def _name(case: ElementTree.Element) -> str:
    return f"{case.get('classname', '')}.{case.get('name', '')}".replace("`", "'")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
