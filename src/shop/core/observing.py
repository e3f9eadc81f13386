"""Every request is named, timed and counted, from outside all that answers it.

What belongs to a request finds its id in the context: its log lines, its SQL, the tasks that
follow from it.
"""

import logging
import re
import time
from collections.abc import Callable
from functools import lru_cache
from time import perf_counter
from typing import Any, TypeAlias
from uuid import UUID, uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import SimpleLazyObject

from sharding.django import work
from sharding.django.work import Work
from shop.core import access_log, metrics
from shop.core.afterwards import Answered, Clerk, at_the_end
from shop.core.logging import about, request_id
from shop.core.metrics import METHODS
from shop.core.redaction import person

Handler: TypeAlias = Callable[[HttpRequest], HttpResponse]

logger = logging.getLogger(__name__)

ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
NO_ROUTE = "(none)"  # there is nothing at the path, or it was refused before it was looked up
MOST_SHOWN = 50  # queries of a slow request in its log line

_PARAMETER = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>|\(\?P<(\w+)>[^/]*\)")
_UNUSUAL = re.compile(r"[^A-Za-z0-9._/{}-]")
_VALUE = re.compile(r"'(?:[^']|'')*'|(?<![\w$])\d+(?:\.\d+)?\b")


class RequestWork(Work):
    """What one request has asked of the databases, under which id and route."""

    __slots__ = ("_route", "request_id")

    def __init__(self, request_id: str) -> None:
        super().__init__()
        self.request_id = request_id
        self._route = NO_ROUTE

    @property
    def route(self) -> str:
        """The route template that was found."""
        return self._route

    @route.setter
    def route(self, route: str) -> None:
        self._route = route
        self._comment = None

    def names(self) -> dict[str, str]:
        return {"request_id": self.request_id, "route": self._route}


class Observed:
    """The outermost middleware: takes the caller's X-Request-ID or makes one, and gives it back;
    measures the request, and leaves a record of it.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.notes = settings.METRICS or settings.ACCESS_LOG

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        own = given if ACCEPTABLE_ID.fullmatch(given) else uuid4().hex
        request.request_id = own  # type: ignore[attr-defined]
        request.work = doing = RequestWork(own)  # type: ignore[attr-defined]
        id_token, work_token = request_id.set(own), work.current.set(doing)
        about_token = about.set(None)
        began = perf_counter()
        metrics.in_flight.add(doing)
        try:
            response = self.get_response(request)
        finally:
            metrics.in_flight.discard(doing)
            about.reset(about_token)
            work.current.reset(work_token)
            request_id.reset(id_token)
        response.headers["X-Request-ID"] = own
        self.finish(request, response.status_code, perf_counter() - began)
        return response

    def process_view(self, request: HttpRequest, *args: Any) -> None:
        """Note the route as soon as it is known: the queries that follow name it."""
        match = request.resolver_match
        if match is not None:
            enter(request, route_of(match.route))

    def finish(self, request: HttpRequest, status: int, seconds: float) -> None:
        """Leave a record of the request, and log its queries if it was slow."""
        doing: RequestWork = request.work  # type: ignore[attr-defined]
        if doing.route is NO_ROUTE and request.path_info.startswith(settings.STATIC_URL):
            doing.route = settings.STATIC_URL
        method = request.method or ""
        answered = Answered(
            doing.request_id,
            method if method in METHODS else "other",
            doing.route,
            status,
            seconds,
            time.time(),
            doing,
            user_of(request),
        )
        if self.notes:
            clerk.take(answered)
        if seconds > settings.SLOW_REQUEST.total_seconds():
            _report_slow(request, answered)


def enter(request: HttpRequest, route: str) -> None:
    """Say which route a request goes; for whoever answers before Django has looked it up."""
    request.work.route = route  # type: ignore[attr-defined]
    about.set({"route": route})


def note(records: list[Answered]) -> None:
    """Count answered requests, and write their lines, as the settings want it."""
    if settings.METRICS:
        metrics.count_requests(records)
    if settings.ACCESS_LOG:
        access_log.write(records)


clerk = Clerk(note)
at_the_end(clerk)


@lru_cache(maxsize=1000)
def route_of(pattern: str) -> str:
    """Return a route of the URL map as labels and comments name it.

    ``api/orders/<uuid:order_id>/`` is ``/api/orders/{order_id}/``.
    """
    named = _PARAMETER.sub(lambda match: f"{{{match[1] or match[2]}}}", pattern)
    return "/" + _UNUSUAL.sub("", named)


def user_of(request: HttpRequest) -> UUID | str | None:
    """Return the id of who asked, if somebody was recognised; no session is read for it."""
    user = getattr(request, "_cached_user", None) or request.__dict__.get("user")
    return None if isinstance(user, SimpleLazyObject) else getattr(user, "id", None)


def _report_slow(request: HttpRequest, answered: Answered) -> None:
    if settings.METRICS:
        metrics.SLOW.labels(answered.route).inc()
    logger.warning(
        "slow request",
        extra={
            "request": request,
            "route": answered.route,
            "method": answered.method,
            "status": answered.status,
            "duration_ms": round(answered.seconds * 1000, 1),
            "db_ms": round(answered.work.seconds * 1000, 1),
            "db_queries": answered.work.queries,
            "queries": _dearest(answered.work),
            **({"user": person(answered.user_id)} if answered.user_id else {}),
        },
    )


def _dearest(doing: Work) -> list[dict[str, Any]]:
    dearest = sorted(doing.statements, key=lambda one: -one.seconds)[:MOST_SHOWN]
    return [
        {"ms": round(one.seconds * 1000, 2), "alias": one.alias, "sql": without_values(one.sql)}
        for one in dearest
    ]


def without_values(sql: str) -> str:
    """Return a statement without the values that stand in its text, on one line."""
    return " ".join(_VALUE.sub("?", sql).split())
