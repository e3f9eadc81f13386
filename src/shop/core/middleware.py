"""What every request passes through before a view sees it."""

import re
from collections.abc import Callable
from typing import TypeAlias
from uuid import uuid4

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from shop.core.errors import problem_response
from shop.core.logging import request_id

Handler: TypeAlias = Callable[[HttpRequest], HttpResponse]

MAX_DIGITS = 18  # of a Content-Length; more are no length, and dear to parse
ACCEPTABLE_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")


class RequestId:
    """Takes the caller's X-Request-ID or makes one, and gives it back."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        current = given if ACCEPTABLE_ID.fullmatch(given) else uuid4().hex
        token = request_id.set(current)
        request.request_id = current  # type: ignore[attr-defined]
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = current
            return response
        finally:
            request_id.reset(token)


class BodyLimit:
    """Refuses a body larger than settings.MAX_BODY_BYTES before it is read."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdecimal()):
            return problem_response(400, "bad_request", "Content-Length is not a number.")
        if len(length) > MAX_DIGITS or int(length) > settings.MAX_BODY_BYTES:
            limit = f"A body may have {settings.MAX_BODY_BYTES} bytes at most."
            return problem_response(413, "body_too_large", limit)
        return self.get_response(request)
