"""The command behind the Makefile: `python -m db.local up`, `deploy`, `down`, `clean`, …"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence

import psycopg2

from db.local import chosen, health, lock, mail_catcher, monitoring, report, secrets_file, test_run
from db.local import layout as layouts
from db.local import settings as choices
from db.local.down import clean, down
from db.local.errors import StackError
from db.local.supervisor import Supervisor
from db.local.up import print_summary, up

COMMANDS = ("up", "deploy", "down", "clean", "status", "logs", "mail", "test")


def main(arguments: Sequence[str]) -> int:
    """Run one command; return the exit status. Errors are one sentence on standard error."""
    parser = argparse.ArgumentParser(prog="db.local", description=__doc__)
    parser.add_argument("command", choices=COMMANDS)
    parser.add_argument("rest", nargs="*", help="arguments for pytest, after --")
    chosen = parser.parse_args(arguments)
    _forget_libpq_environment()
    try:
        return _run(chosen.command, chosen.rest)
    except StackError as error:
        print(error, file=sys.stderr)
        return 1
    except psycopg2.Error as error:
        print(f"PostgreSQL answered: {' '.join(str(error).split())}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"The system answered: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "Interrupted; the next `make up` continues, `make down` stops what runs.",
            file=sys.stderr,
        )
        return test_run.INTERRUPTED


def _run(command: str, rest: Sequence[str]) -> int:
    if command == "clean":
        return _clean()
    stack = choices.TEST_STACK if command == "test" else choices.stack_name(os.environ)
    if command == "status":
        return _status(stack)
    if command == "logs":
        return _logs(stack)
    if command == "mail":
        return mail_catcher.main(["show", str(layouts.find(stack).mail)])
    with lock.held(layouts.CHECKOUT, stack):
        if command == "test":
            return test_run.run(os.environ, rest)
        if command == "down":
            print(
                f"Stack {stack} stopped; its data stays."
                if down(stack)
                else f"Stack {stack} was not running."
            )
        else:
            _up(stack, renew=command == "deploy")
    return 0


def _up(stack: str, *, renew: bool) -> None:
    application = chosen.take(os.environ, stack)
    made = up(os.environ, stack=stack, application=application, renew=renew)
    if renew:
        print(f"Stack {stack} runs the code of this checkout.")
    else:
        print_summary(made)


def _clean() -> int:
    for stack in layouts.stacks():
        with lock.held(layouts.CHECKOUT, stack):
            clean(stack)
        print(f"Stack {stack} removed.")
    return 0


def _status(stack: str) -> int:
    layout = layouts.find(stack)
    supervisor, settings = Supervisor(layout), choices.load(layout.settings)
    if settings is None or not supervisor.is_running():
        print(f"Stack {stack} is not running.")
        return 0
    secrets = secrets_file.load_or_make(layout.secrets)
    probes = [*health.everything(settings, secrets, layout), *monitoring.probes(settings)]
    verdicts = health.verdicts(probes)
    print(report.process_table(list(supervisor.states().values()), verdicts))
    print()
    try:
        print(report.node_table(report.node_rows(settings, secrets)))
    except Exception as error:
        print(f"The nodes cannot be asked: {' '.join(str(error).split())}")
    print()
    print(report.urls(settings))
    return 0


def _logs(stack: str) -> int:
    files = sorted(layouts.find(stack).log.glob("*.log"))
    if not files:
        print(f"Stack {stack} has no logs yet.")
        return 0
    # -F follows a log also when supervisord begins a new one.
    return subprocess.run(["tail", "-n", "10", "-F", *files], check=False).returncode


def _forget_libpq_environment() -> None:
    # PGHOST, PGSSLMODE, PGOPTIONS … of the caller's shell speak of other servers; PG_PORT is ours.
    for name in list(os.environ):
        if name.startswith("PG") and "_" not in name:
            del os.environ[name]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
