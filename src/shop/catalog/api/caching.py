"""Answers of the catalog from Redis: to strangers before any view, to customers behind their token.

Strangers all get the same bytes, which caches on the way may keep as well. Whoever sends an
Authorization header is authenticated and counted first, and told to keep nothing. Who may write the
catalog always reads the database: what they see is what they are about to change.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeAlias

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.http.request import split_domain_port
from django.utils.cache import patch_vary_headers
from rest_framework.request import Request
from rest_framework.views import APIView

from shop.catalog.api.questions import asked_by
from shop.core.caching.answers import OK, Lease, Made, answer, count, look_up, outcome_of, take
from shop.core.caching.entries import Entry, Question
from shop.core.conditional import READING, etags_in, objection
from shop.core.errors import NotFound
from shop.core.observing import enter
from shop.core.permissions import has_role
from shop.core.redis import RedisGone
from shop.core.renderers import JSONRenderer
from shop.core.roles import CATALOG_WRITERS

Handler: TypeAlias = Callable[[HttpRequest], HttpResponse]
Headers: TypeAlias = dict[str, tuple[str, str]]  # by lower-case name, as Django keeps them

# Ours alone, or another one for each answer.
OF_ONE_ANSWER = (
    "age",
    "content-length",
    "etag",
    "ratelimit",
    "ratelimit-policy",
    "set-cookie",
    "x-request-id",
)
OF_A_BODY = ("allow", "content-type")
# A cache on the way must not show staff what it keeps for strangers.
VARY = "Authorization"
MOST = 64  # hosts × views that headers are remembered of; only wildcards make so many
ROUTES = {
    "product_list": "/api/products/",
    "category_list": "/api/categories/",
    "product_detail": "/api/products/{product_id}/",
    "category_detail": "/api/categories/{category_id}/",
}


class CatalogCache:
    """The middleware that answers strangers who ask for what is in Redis.

    It stands outside of those that add the headers which every answer has: what they add to an
    answer of a view is learnt from the first one that passes, and is the same for all that follow
    (of one host and scheme). A page of another site, which sends its Origin, goes the long way.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response
        self.learnt: dict[tuple[str, str, bool], Headers] = {}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        meta = request.META
        if (
            request.method not in READING
            or not settings.CATALOG_CACHE
            or "HTTP_AUTHORIZATION" in meta
            or "HTTP_ORIGIN" in meta
            or not _takes_json(meta.get("HTTP_ACCEPT", "*/*"))
            or objection(request)
        ):
            return self.get_response(request)
        asked = asked_by(request)
        if asked is None:
            return self.get_response(request)
        question = asked.question
        # A host that the view has taken once, whatever port or capitals it is given with.
        host, _ = split_domain_port(meta.get("HTTP_HOST") or meta.get("SERVER_NAME", ""))
        like = (question.view, host, request.is_secure())
        headers = self.learnt.get(like)
        if headers is None:
            response = self.get_response(request)
            if getattr(response, "of_the_catalog", False) and host and len(self.learnt) < MOST:
                self.learnt[like] = _lasting(response)
            return response
        return self._answer(request, question, headers)

    def _answer(self, request: HttpRequest, question: Question, headers: Headers) -> HttpResponse:
        try:
            found = _servable(question)
        except RedisGone:
            found = None  # the view asks once more, and counts it
        if isinstance(found, Entry):
            enter(request, ROUTES[question.view])
            return _finished(request, found, headers)
        if found is None:
            return self.get_response(request)
        request.catalog_lease = found  # type: ignore[attr-defined]
        try:
            return self.get_response(request)
        finally:
            found.release()  # whatever kept the view from making it


class CachedAnswers(APIView):
    """A view of the catalog whose GETs may be answered from Redis. It stands before the others."""

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        asked = asked_by(request._request) if settings.CATALOG_CACHE else None
        request._request.get_host()  # refuses one that is not ours
        if asked is None or has_role(request, CATALOG_WRITERS):
            response: HttpResponse = super().get(request, *args, **kwargs)  # type: ignore[misc]
        else:
            response = self._shared(request, asked.question, *args, **kwargs)
        if "HTTP_AUTHORIZATION" not in request.META:
            response.headers["Cache-Control"] = settings.CATALOG_CACHE_CONTROL
            patch_vary_headers(response, (VARY,))
        return response

    def get_list_url(self) -> str | None:
        """Return the canonical URL that a list's links and cursors are made of."""
        asked = asked_by(self.request._request)
        return asked.url if asked else None

    def _shared(
        self, request: Request, question: Question, *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Return the answer that all may have."""
        read: Callable[..., Any] = super().get  # type: ignore[misc]

        def make() -> Made:
            try:
                return Made(OK, JSONRenderer().render(read(request, *args, **kwargs).data))
            except NotFound as error:
                return Made(error.status, error.detail.encode())

        lease: Lease | None = getattr(request._request, "catalog_lease", None)
        entry = answer(question, make, lease)
        if entry.status != OK:
            raise NotFound(entry.body.decode())
        body = entry.body if request.method == "GET" else b""
        response = HttpResponse(body, content_type="application/json")
        response.headers["Content-Length"] = str(len(entry.body))
        response.headers["ETag"] = f'"{entry.etag}"'  # ConditionalGet looks at it
        response.of_the_catalog = True  # type: ignore[attr-defined]
        return response


def _servable(question: Question) -> Entry | Lease | None:
    """Return an entry to answer with, or the lease to make a stale one anew; else None."""
    entry = look_up(question)
    if entry is None or entry.status != OK:
        return None  # a problem names its request: the view writes it
    outcome = outcome_of(entry)
    if outcome == "stale" and (lease := take(question)):
        return lease
    count(question, outcome)
    return entry


def _lasting(response: HttpResponse) -> Headers:
    """Return the headers that all answers of this kind have in common."""
    return {
        name.lower(): (name, value)
        for name, value in response.headers.items()
        if name.lower() not in OF_ONE_ANSWER
    }


def _finished(request: HttpRequest, entry: Entry, headers: Headers) -> HttpResponse:
    """Return an answer as it leaves all other middleware.

    The headers have been through Django's checks once; checking each of them again would cost as
    much as asking Redis.
    """
    etag = f'"{entry.etag}"'
    reading = request.method == "GET"
    response: HttpResponse
    if reading and _has(request, etag):
        response = HttpResponseNotModified()
        kept = {name: pair for name, pair in headers.items() if name not in OF_A_BODY}
        response.headers._store.update(kept)
    else:
        response = HttpResponse(entry.body if reading else b"")
        store = response.headers._store
        store.update(headers)
        store["content-length"] = ("Content-Length", str(len(entry.body)))
    response.headers._store["etag"] = ("ETag", etag)
    return response


def _has(request: HttpRequest, etag: str) -> bool:
    """Tell whether the client has this version (RFC 9110, If-None-Match: weak comparison)."""
    given = request.META.get("HTTP_IF_NONE_MATCH")
    if given is None:
        return False
    if given == etag:
        return True
    etags = etags_in(given)
    return "*" in etags or etag in (one.removeprefix("W/") for one in etags)


@lru_cache(maxsize=256)
def _takes_json(accept: str) -> bool:
    """Tell whether the client takes JSON for sure; the view looks closer."""
    kinds = {part.partition(";")[0].strip().lower() for part in accept.split(",")}
    return bool(kinds & {"*/*", "application/*", "application/json"})
