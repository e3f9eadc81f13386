"""What every request passes through before a view sees it."""

from collections.abc import Callable
from typing import Any, TypeAlias

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from shop.core.errors import problem_response

Handler: TypeAlias = Callable[[HttpRequest], HttpResponse]

# What a document may load, by the beginning of its path; the first that fits. Nothing is ever
# loaded from elsewhere, and no script stands in a page.
_NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_OWN = (
    "default-src 'none'; script-src 'self'; img-src 'self' data:; font-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
)
CONTENT_POLICIES = (
    *((path, f"{_OWN}style-src 'self'") for path in ("/admin/", "/shards/", "/status/")),
    # Swagger UI writes style attributes into its markup.
    ("/api/docs/", f"{_OWN}style-src 'self' 'unsafe-inline'"),
    ("", _NOTHING),
)
FIXED_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}

MAX_DIGITS = 18  # of a Content-Length; more are no length, and dear to parse


class SecurityHeaders:
    """Adds the headers that every answer has, unless a view has said otherwise.

    Transport, referrer, opener and frames are left to Django's own, one step further in.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", _policy_of(request.path))
        for name, value in FIXED_HEADERS.items():
            response.headers.setdefault(name, value)
        if _is_personal(request):
            # Set out here, behind ConditionalGetMiddleware: it makes no ETag for "no-store".
            response.headers.setdefault("Cache-Control", "no-store, private")
        return response


def _policy_of(path: str) -> str:
    if path == "/":
        return f"{_OWN}style-src 'self'"
    return next(text for beginning, text in CONTENT_POLICIES if path.startswith(beginning))


def _is_personal(request: HttpRequest) -> bool:
    """Tell whether the answer may be somebody's own: no cache on the way shall keep it."""
    return "Authorization" in request.headers or request.path.startswith("/api/auth/")


class PlainRefusals:
    """Makes a problem of what Django's own views say to a method that they do not have."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseNotAllowed):
            return response
        detail = f"Method {request.method} is not allowed here."
        allowed = response.headers["Allow"]
        return problem_response(405, "method_not_allowed", detail, Allow=allowed)


class BodyLimit:
    """Refuses a body larger than settings.MAX_BODY_BYTES, and one that would be taken for none.

    A PATCH without any body is refused as well: it says nothing, and whoever sent it meant
    something. `{}` is an answer to the same question, and changes nothing.
    """

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        length = request.META.get("CONTENT_LENGTH") or "0"
        if not (length.isascii() and length.isdecimal()):
            return problem_response(400, "bad_request", "Content-Length is not a number.")
        most = settings.UPLOADS.get(request.path, settings.MAX_BODY_BYTES)
        if len(length) > MAX_DIGITS or int(length) > most:
            limit = f"A body may have {most} bytes at most."
            return problem_response(413, "body_too_large", limit)
        if "Transfer-Encoding" in request.headers:  # this server does not tell where it ends
            return problem_response(411, "length_required", "Send a Content-Length.")
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, *_: Any) -> HttpResponse | None:
        """Refuse a PATCH without a body where there is something to change."""
        changes = request.method == "PATCH" and hasattr(getattr(view, "view_class", None), "patch")
        if changes and not int(request.META.get("CONTENT_LENGTH") or 0):
            return problem_response(400, "parse_error", "A PATCH needs a body that says what.")
        return None
