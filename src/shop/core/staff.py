"""Pages of our own for staff: the session of /admin/, one frame, and who may open which.

A view is guarded by ``staff_only(roles)``; its template extends ``staff/page.html``.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any, NamedTuple, TypeAlias

from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve
from django.views.decorators.cache import never_cache
from django_redis.exceptions import ConnectionInterrupted
from redis.exceptions import RedisError

from shop.core.errors import problem_response
from shop.core.roles import SHARD_ADMINS, STAFF

View: TypeAlias = Callable[..., HttpResponse]


class Section(NamedTuple):
    """A part of the staff pages: what its link says, where it leads, and for whom."""

    title: str
    path: str
    roles: frozenset[str]


SECTIONS = (
    Section("Staff pages", "/admin/", STAFF),
    Section("Shards", "/shards/", SHARD_ADMINS),
    Section("Status", "/status/", STAFF),
)


def staff_only(roles: frozenset[str]) -> Callable[[View], View]:
    """Let in those whose role is among `roles`; send those without a session to the login.

    Staff with another role get a page that says so (403). Without Redis there are no sessions,
    and nobody can be recognised: 503. No answer is kept by a cache.
    """

    def guard(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                role = _role(request)
            except (ConnectionInterrupted, RedisError):
                detail = "Nobody can be recognised right now: sessions cannot be read."
                return problem_response(503, "unavailable", detail, **{"Retry-After": "5"})
            if role not in STAFF:
                return redirect_to_login(request.get_full_path(), "/admin/login/")
            if role not in roles:
                return render(request, "staff/refused.html", status=403)
            return view(request, *args, **kwargs)

        return never_cache(guarded)

    return guard


def sections(request: HttpRequest) -> Iterator[tuple[Section, bool]]:
    """Yield the parts that exist and are open to who asks, each with whether one is in it."""
    role = _role(request)
    for section in SECTIONS:
        if role in section.roles and _exists(section.path):
            yield section, request.path.startswith(section.path)


def _role(request: HttpRequest) -> str:
    """Return the role of the session's user, who may have been deactivated since: then none."""
    return getattr(request.user, "role", "")


def _exists(path: str) -> bool:
    try:
        resolve(path)
    except Resolver404:
        return False
    return True
