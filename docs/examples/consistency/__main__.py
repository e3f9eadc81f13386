"""Runs the examples of docs/distributed_systems.md, on a cluster of their own.

    make example-consistency                            # all of them
    make example-consistency ARGS="deadlock read_skew"  # these
    make example-consistency ARGS=--write               # all, and README.md beside this file

Exit: 0 shown, 1 the cluster does otherwise, 2 there is no such example, 3 there is no Citus.
"""

from __future__ import annotations

import argparse
import importlib
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from db.local import software
from db.local.errors import StackError
from docs.examples.consistency.lab import Lab, laboratory
from docs.examples.consistency.session import NotShown

EXAMPLES = (
    "one_shard",
    "two_phase_commit",
    "read_skew",
    "write_skew",
    "lost_update",
    "deadlock",
    "read_your_writes",
    "reference_tables",
    "worker_away",
    "ids_and_clocks",
)
PAGE = Path(__file__).parent / "README.md"
HEAD = """# What a sharded PostgreSQL guarantees: the transcripts

What the programs beside this page print: `make example-consistency`, or one of them with
`ARGS=read_skew`. They make a cluster of their own and remove it. A line that begins with a letter
is what that session sends, the indented lines are what it is told; `…` means that the answer is
still to come. `--` says what is done to the cluster, and `=>` what follows.

`make example-consistency ARGS=--write` wrote this page, and
`tests/cluster/test_consistency_examples.py` fails when a program prints anything else.
[Distributed systems](../../distributed_systems.md) explains it.
"""
NO_CITUS = "Nothing can be shown: the PostgreSQL of this machine has no Citus extension."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; return the exit code."""
    options = _parser().parse_args(arguments)
    names = [name.replace("-", "_") for name in options.names] or list(EXAMPLES)
    if unknown := [name for name in names if name not in EXAMPLES]:
        known = ", ".join(EXAMPLES)
        print(f"There is no example {unknown[0]}: choose of {known}.", file=sys.stderr)
        return 2
    if options.write and options.names:
        print("--write renews the whole page: leave the names out.", file=sys.stderr)
        return 2
    if not any(version.has_citus for version in software.installed()):
        print(NO_CITUS, file=sys.stderr)
        return 3
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is removed
    try:
        said = _run(names)
    except KeyboardInterrupt:
        return 130
    except (NotShown, StackError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    if options.write:
        PAGE.write_text(page(said))
    return 0


def run(lab: Lab, name: str) -> dict[str, object]:
    """Run one example, and return what it has found.

    Raises:
        NotShown: the cluster does otherwise.
    """
    module = importlib.import_module(f"{__package__}.{name}")
    with lab.scratch():
        facts: dict[str, object] = module.show(lab)
    return facts


def title(name: str) -> str:
    """Return an example's subject in one sentence."""
    return str(importlib.import_module(f"{__package__}.{name}").__doc__).strip()


def page(said: dict[str, list[str]]) -> str:
    """Return README.md for these transcripts."""
    parts = [HEAD]
    for name, lines in said.items():
        transcript = "\n".join(lines)
        head = f"## {name}\n\n{title(name)} ([program]({name}.py))"
        parts.append(f"{head}\n\n```text\n{transcript}\n```\n")
    return "\n".join(parts)


def _run(names: Sequence[str]) -> dict[str, list[str]]:
    said: dict[str, list[str]] = {}
    with laboratory() as lab:
        for name in names:
            print(f"\n{name}: {title(name)}\n", flush=True)
            run(lab, name)
            said[name] = lab.transcript
    return said


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="make example-consistency", description="What a sharded PostgreSQL guarantees, shown."
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(EXAMPLES)}")
    parser.add_argument("--write", action="store_true", help="renew the transcripts of README.md")
    return parser


if __name__ == "__main__":
    sys.exit(main())
