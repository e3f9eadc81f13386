"""The log: one JSON object per line, each saying what it belongs to, none saying too much.

Lines of a request or a task carry its id, route or task, and its user as a keyed digest; they are
taken from the context, so nobody has to pass them along.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any

from pythonjsonlogger.json import JsonFormatter

from shop.core.redaction import redact

request_id: ContextVar[str] = ContextVar("request_id", default="")
# What else the lines of this context say, by name: the route or the task.
about: ContextVar[dict[str, str] | None] = ContextVar("about", default=None)

# Ours, and of harmless characters; everything else that a record carries is looked through.
OWN = frozenset({"time", "level", "logger", "request_id"})
NOT_SHOWN = ("request", "taskName", "server_time", "data", "color_message")


@contextmanager
def belonging_to(request: str) -> Iterator[None]:
    """Let what is done here belong to another request; its id may be empty: to none known."""
    token = request_id.set(request)
    try:
        yield
    finally:
        request_id.reset(token)


class ContextFilter(logging.Filter):
    """Adds what a record belongs to; nothing outside a request or a task.

    Django logs a refused request when the middleware is done with it; such a record carries the
    request itself.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        record.request_id = getattr(request, "request_id", "") or request_id.get()
        for name, value in (about.get() or {}).items():
            setattr(record, name, value)
        return True


class JSONFormatter(JsonFormatter):
    """Writes a record as JSON, and leaves out what `shop.core.redaction` recognises."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._skip_fields.update(NOT_SHOWN)

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: N802
        """Return the time in UTC, to the millisecond, as ISO 8601 has it."""
        return timestamp(record.created)

    def process_log_record(self, log_data: dict[str, Any]) -> dict[str, Any]:
        return {
            name: value if name in OWN else redact(value, name) for name, value in log_data.items()
        }


def timestamp(seconds: float) -> str:
    """Return a moment as the log writes it, e.g. 2026-11-22T15:04:05.678Z."""
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"
