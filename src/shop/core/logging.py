"""The request's id on every line of its log."""

import logging
from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="")


class RequestIdFilter(logging.Filter):
    """Adds `request_id` to each record; empty outside a request.

    Django logs a refused request when the middleware is done with it; such a record carries the
    request itself.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        record.request_id = getattr(request, "request_id", "") or request_id.get()
        return True
