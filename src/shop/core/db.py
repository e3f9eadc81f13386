"""What to do when the database says: not now."""

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from django.db import OperationalError
from psycopg2 import errorcodes

T = TypeVar("T")
logger = logging.getLogger(__name__)

ATTEMPTS = 3
PAUSE = 0.05  # seconds, doubled each time

# The transaction was undone through no fault of its own, and may well succeed the next time.
TRANSIENT = {errorcodes.DEADLOCK_DETECTED, errorcodes.SERIALIZATION_FAILURE}


def retrying(work: Callable[[], T]) -> T:
    """Run a whole transaction, again when it was the victim of a deadlock.

    Two orders that cross on different nodes end in a distributed deadlock, which Citus finds
    within about two seconds and resolves by undoing one of them.
    """
    for attempt in range(1, ATTEMPTS):
        try:
            return work()
        except OperationalError as error:
            if getattr(error.__cause__, "pgcode", None) not in TRANSIENT:
                raise
            logger.warning("transaction undone, trying again", extra={"attempt": attempt})
            time.sleep(PAUSE * 2 ** (attempt - 1))
    return work()
