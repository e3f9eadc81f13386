"""Sessions of staff in Redis. Without Redis their pages say so, and nobody is logged out."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.sessions.backends import cache
from django.contrib.sessions.middleware import SessionMiddleware
from django.core.cache import caches
from django.http import HttpRequest, HttpResponse

from shop.core.errors import Unavailable, problem_response
from shop.core.redis import RedisGone, state_breaker

T = TypeVar("T")
PART = "sessions"
RETRY_AFTER = "5"  # seconds


class SessionsGone(Unavailable):
    """It cannot be known right now who is logged in."""

    def __init__(self) -> None:
        super().__init__("Sessions cannot be read or kept right now. Try again shortly.")


class SessionStore(cache.SessionStore):
    """Django's sessions in the cache, which tell "no answer" from "no session".

    Django's own takes a failure for a session that is gone, and has the browser drop its cookie.
    """

    def load(self) -> dict[str, Any]:
        found = _ask(caches[settings.SESSION_CACHE_ALIAS].get, self.cache_key)
        if found is None:
            self._session_key = None
            return {}
        return dict(found)

    def save(self, must_create: bool = False) -> None:
        if self.session_key is None:
            self.create()  # which comes back here, with a key
        else:
            # CreateError, which `create` answers with another key, passes the breaker as it is.
            _ask(super().save, must_create)

    def exists(self, session_key: str) -> bool:
        return bool(_ask(super().exists, session_key))

    def delete(self, session_key: str | None = None) -> None:
        _ask(super().delete, session_key)


class StaffSessions(SessionMiddleware):
    """Answers 503 where a page needs a session and there is no Redis."""

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return _refusal(exception) if isinstance(exception, SessionsGone) else None

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        try:
            return super().process_response(request, response)
        except SessionsGone as error:
            return _refusal(error)


def _ask(question: Callable[..., T], *args: Any) -> T:
    try:
        return state_breaker.call(PART, question, *args)
    except RedisGone as error:
        raise SessionsGone from error


def _refusal(error: SessionsGone) -> HttpResponse:
    return problem_response(error.status, error.code, error.detail, **{"Retry-After": RETRY_AFTER})
