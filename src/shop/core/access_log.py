"""One line per request, as cheap as it can be made.

The fields are of our own making and of known characters, so a line is put together as text, past
the logging framework, at a fraction of the cost.
"""

import os
import sys
import time
from collections.abc import Iterator
from functools import lru_cache

from shop.core.afterwards import Answered
from shop.core.redaction import person

ATOMIC = 4096  # bytes that a pipe takes in one piece (PIPE_BUF): several processes share it
QUIET = frozenset({"/health/live", "/health/ready", "/metrics"})  # machines ask, all the time

LINE = (
    '{"time": "%s.%03dZ", "level": "INFO", "logger": "shop.access", "request_id": "%s", '
    '"method": "%s", "route": "%s", "status": %d, "duration_ms": %.2f, "db_ms": %.2f, '
    '"db_queries": %d, "db_aliases": [%s]%s}\n'
)

_person = lru_cache(maxsize=10_000)(person)


def write(records: list[Answered]) -> None:
    """Write the lines of these requests to standard error, but those of checks that went well."""
    lines = [line_of(one) for one in records if one.status >= 400 or one.route not in QUIET]
    for piece in _pieces(lines):
        os.write(sys.stderr.fileno(), piece)


def line_of(record: Answered) -> str:
    """Return the access line of an answered request."""
    work = record.work
    return LINE % (
        _second(int(record.ended)),
        record.ended % 1 * 1000,
        record.request_id,
        record.method,
        record.route,
        record.status,
        record.seconds * 1000,
        work.seconds * 1000,
        work.queries,
        ", ".join([f'"{alias}"' for alias in work.spent]),
        f', "user": "{_person(record.user_id)}"' if record.user_id else "",
    )


@lru_cache(maxsize=2)
def _second(moment: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment))


def _pieces(lines: list[str]) -> Iterator[bytes]:
    """Put whole lines together to pieces that no other process can write into."""
    piece = b""
    for line in lines:
        data = line.encode()
        if piece and len(piece) + len(data) > ATOMIC:
            yield piece
            piece = b""
        piece += data
    if piece:
        yield piece
