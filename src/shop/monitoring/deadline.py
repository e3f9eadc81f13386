"""Several questions at once, and a deadline for all of them."""

import logging
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from typing import TypeVar

from django.db import connections

logger = logging.getLogger(__name__)

AT_ONCE = 8

Key = TypeVar("Key")
Answer = TypeVar("Answer")


class Deadline:
    """A moment, so many seconds from now."""

    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """How many seconds there are until then."""
        return max(self._at - time.monotonic(), 0.0)


def gathered(
    asking: Mapping[Key, Callable[[], Answer]], deadline: Deadline
) -> tuple[dict[Key, Answer], int]:
    """Ask all of them, the first ones first; return what came in time, and how many did not.

    Nobody waits for the rest. What fails is logged, and counts as late.
    """
    pool = ThreadPoolExecutor(max_workers=AT_ONCE, thread_name_prefix="status")
    futures = {key: pool.submit(_alone, ask) for key, ask in asking.items()}
    wait(futures.values(), timeout=deadline.left)
    pool.shutdown(wait=False, cancel_futures=True)
    found, wrong = {}, {}
    for key, future in futures.items():
        if future.done() and not future.cancelled():
            if error := future.exception():
                wrong[key] = f"{type(error).__name__}: {error}"
            else:
                found[key] = future.result()
    if wrong:
        logger.warning("not read: %s", "; ".join(sorted(set(wrong.values()))))
    return found, len(futures) - len(found)


def _alone(ask: Callable[[], Answer]) -> Answer:
    try:
        return ask()
    finally:
        connections.close_all()  # this thread's own: nobody else would close them
