"""Work that really runs beside the test, on a database connection of its own."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, TypeVar

from django.db import connections

T = TypeVar("T")
PATIENCE = 30  # seconds until a thread that waits for another gives up


@contextmanager
def beside(*works: Callable[[], T]) -> Iterator[list["Future[T]"]]:
    """Start each work in a thread of its own; they are waited for at the end of the block."""

    def closing(work: Callable[[], Any]) -> Any:
        try:
            return work()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        yield [pool.submit(closing, work) for work in works]
