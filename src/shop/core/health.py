"""Whether this process lives, and whether it can serve."""

import logging

from django.core.cache import caches
from django.db import connection
from django.db.utils import Error
from django.http import HttpRequest, JsonResponse

from shop.core.redis import Breaker, RedisGone, breaker, state_breaker

logger = logging.getLogger(__name__)


def live(request: HttpRequest) -> JsonResponse:
    """Answer 200 as long as the process takes requests."""
    return JsonResponse({"status": "ok"})


def ready(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers, else 503, so that HAProxy looks elsewhere.

    Redis is reported but does not decide: without it the API is slower, not down.
    """
    parts = {
        "database": _database(),
        "cache": _answers("default", breaker),
        "state": _answers("state", state_breaker),
    }
    status = 200 if parts["database"] == "ok" else 503
    return JsonResponse({"status": "ok" if status == 200 else "down", **parts}, status=status)


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except Error as error:
        logger.warning("the database does not answer", exc_info=error)
        connection.close()
        return "down"
    return "ok"


def _answers(alias: str, breaker: Breaker) -> str:
    try:
        breaker.call("health", caches[alias].get, "health")
    except RedisGone:
        return "down"
    return "ok"
