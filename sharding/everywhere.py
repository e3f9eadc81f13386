"""The same work on several nodes at the same time, bounded by the clock."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Hashable, Iterable
from typing import Protocol, TypeVar

from sharding.connection import Session
from sharding.errors import NodeNotAvailable, QueryFailed, ShardingError


class Named(Hashable, Protocol):
    """A node, by its name."""

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)
T = TypeVar("T")


def on_each(
    nodes: Iterable[N],
    connect: Callable[[N], Session],
    work: Callable[[Session], T],
    *,
    seconds: float | None,
) -> dict[N, T | ShardingError]:
    """Run the work in threads; those that take longer than `seconds` are left behind.

    Returns:
        What `work` returned, or NodeNotAvailable or QueryFailed, by node. Other errors are raised.
    """
    done: queue.SimpleQueue[tuple[N, T | Exception]] = queue.SimpleQueue()
    sessions: dict[N, Session] = {}

    def attempt(node: N) -> None:
        try:
            with connect(node) as session:
                sessions[node] = session
                done.put((node, work(session)))
        except Exception as error:
            # Handed over to the thread that waits.
            done.put((node, error))

    listed = list(nodes)
    for node in listed:
        threading.Thread(target=attempt, args=[node], daemon=True).start()
    try:
        found = _collect(done, len(listed), seconds)
    except BaseException:  # Ctrl-C: nothing shall go on on the servers
        for session in sessions.values():
            session.cancel()
        raise
    return {node: _outcome(node, found, seconds) for node in listed}


def _collect(
    done: queue.SimpleQueue[tuple[N, T | Exception]], count: int, seconds: float | None
) -> dict[N, T | Exception]:
    deadline = time.monotonic() + seconds if seconds else None
    found: dict[N, T | Exception] = {}
    while len(found) < count:
        left = deadline - time.monotonic() if deadline else None
        try:
            node, result = done.get(timeout=left if left is None else max(left, 0.001))
        except queue.Empty:
            break
        found[node] = result
    return found


def _outcome(node: N, found: dict[N, T | Exception], seconds: float | None) -> T | ShardingError:
    if node not in found:
        return NodeNotAvailable(f"{node.name} did not answer within {seconds:.0f} s.")
    result = found[node]
    if isinstance(result, NodeNotAvailable | QueryFailed) or not isinstance(result, Exception):
        return result
    raise result
