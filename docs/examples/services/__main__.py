"""Two services, a bad week, and their books at its end. Ends with 1 if those do not agree.

Needs the stack of `make up`, or DATABASE_ADMIN_URL and REDIS_URL in the environment.
"""

import argparse
import signal
import sys
from collections.abc import Sequence

import psycopg2
from django.core.exceptions import ImproperlyConfigured
from redis.exceptions import RedisError

from docs.examples.services.measure import table
from docs.examples.services.stack import Stack, stack
from docs.examples.services.story import Story
from shop.config import environment


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the story, or measure; return the exit status, 2 if there is no stack to do it on."""
    parser = argparse.ArgumentParser(prog="make example-services", description=__doc__)
    parser.add_argument("--measure", action="store_true", help="what the cut costs, instead")
    play = _measure if parser.parse_args(arguments).measure else _tell
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that everything is removed
    try:
        env = environment.load()
        with stack(env.required("DATABASE_ADMIN_URL"), env.required("REDIS_URL")) as made:
            return play(made)
    except (ImproperlyConfigured, psycopg2.OperationalError, RedisError) as error:
        print(f"{error}\nThis needs PostgreSQL and Redis: `make up` starts them.", file=sys.stderr)
        return 2


def _tell(made: Stack) -> int:
    wrong = Story(made).tell()
    for line in wrong:
        print(f"WRONG: {line}")
    if not wrong:
        print("The books agree: stock, orders, money, and what each knows of the other.")
    return bool(wrong)


def _measure(made: Stack) -> int:
    for line in table(made):
        print(line)
    return 0


if __name__ == "__main__":
    sys.exit(main())
