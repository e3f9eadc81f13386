"""Locust's figures as a Markdown table, for people and for the summary of a CI job.

    python3 -m tests.load.summary .run-load/…_stats.csv

Needs nothing but Python. Each kind of request is a line, the sum of all the last; times are in
milliseconds. Locust rounds the percentiles of long times: 1,249 is 1,200.
"""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

COLUMNS = {
    "Request Count": "requests",
    "Requests/s": "a second",
    "50%": "median ms",
    "95%": "p95 ms",
    "99%": "p99 ms",
    "Failure Count": "failed",
}
TOTAL = "Aggregated"


class Unreadable(Exception):
    """The file is not what Locust writes; the text says what is missing."""


def main(arguments: Sequence[str]) -> int:
    """Print the table of a file; return 2 when it holds no figures."""
    if len(arguments) != 1 or arguments[0] in {"-h", "--help"}:
        print(__doc__)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        print(table(Path(arguments[0]).read_text().splitlines()))
    except (OSError, Unreadable) as error:
        print(f"summary: {error}", file=sys.stderr)
        return 2
    return 0


def table(lines: Iterable[str]) -> str:
    """Return the table of Locust's statistics.

    Raises:
        Unreadable: a column is missing, or no request was made.
    """
    reader = csv.DictReader(lines)
    missing = {"Name", *COLUMNS} - set(reader.fieldnames or ())
    if missing:
        raise Unreadable(f"these are not Locust's statistics: no column {sorted(missing)[0]!r}.")
    rows = sorted(reader, key=lambda row: (row["Name"] == TOTAL, row["Name"]))
    if sum(int(row["Request Count"]) for row in rows) == 0:
        raise Unreadable("not one request was made.")
    head = ["request", *COLUMNS.values()]
    return "\n".join([_line(head), "|---" + "|---:" * len(COLUMNS) + "|", *map(_row, rows)])


def _row(row: dict[str, str]) -> str:
    name = "**all**" if row["Name"] == TOTAL else row["Name"].replace("|", "\\|")
    return _line([name, *(_number(row[column]) for column in COLUMNS)])


def _number(text: str) -> str:
    """Write thousands with a comma, and small rates with a decimal; Locust leaves out with N/A."""
    try:
        number = float(text)
    except ValueError:
        return "–"
    return f"{number:,.1f}" if number % 1 and number < 100 else f"{number:,.0f}"


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
