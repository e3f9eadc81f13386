"""What to do when the database says: not now."""

import functools
import logging
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

from django.db import DatabaseError, InterfaceError, OperationalError, connections

from sharding.django.failures import is_lost_at_commit, is_passing
from sharding.django.transactions import open_alias

P = ParamSpec("P")
T = TypeVar("T")
logger = logging.getLogger(__name__)

ATTEMPTS = 3
PAUSE = 0.05  # seconds, doubled each time


def is_unavailable(error: BaseException) -> bool:
    """Tell whether the database did not answer, or undid what it was asked; later it may do it."""
    lost = isinstance(error, OperationalError | InterfaceError) or is_lost_at_commit(error)
    return lost or is_passing(error)


def leave_lost_connections() -> None:
    """Let what follows in this thread connect anew where a connection has failed."""
    for connection in connections.all(initialized_only=True):
        if not connection.in_atomic_block:
            connection.close_if_unusable_or_obsolete()


def retrying(work: Callable[[], T]) -> T:
    """Run a whole transaction, again when it was undone through no fault of its own.

    Two orders that cross on different nodes end in a distributed deadlock, which Citus finds
    within about two seconds and resolves by undoing one of them. A shard that is moved or split
    under a statement can undo its transaction as well. Inside a transaction `work` runs once:
    whoever opened it has to begin anew.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return work()
        except DatabaseError as error:
            if not is_passing(error) or open_alias():
                raise
            logger.warning("transaction undone, trying again", extra={"attempt": attempt})
            time.sleep(PAUSE * 2 ** (attempt - 1))
    return work()


def retried(work: Callable[P, T]) -> Callable[P, T]:
    """Let a function that is one transaction begin anew as `retrying` does."""

    @functools.wraps(work)
    def run(*args: P.args, **kwargs: P.kwargs) -> T:
        return retrying(lambda: work(*args, **kwargs))

    return run
