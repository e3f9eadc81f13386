"""A body without a length (Transfer-Encoding: chunked) gets one.

Django takes a missing length for an empty body. So what comes without one is read here, before
Django sees the request: up to the limit and one byte more, by which BodyLimit knows that there was
more.
"""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, TypeAlias

from django.conf import settings

Environ: TypeAlias = dict[str, Any]
Application: TypeAlias = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


def measured(application: Application) -> Application:
    """Return a WSGI application that meets no body without a length."""

    def serve(environ: Environ, start_response: Callable[..., Any]) -> Iterable[bytes]:
        measure(environ)
        return application(environ, start_response)

    return serve


def measure(environ: Environ) -> None:
    """Read a body whose end the server knows and its sender did not say before."""
    if "HTTP_TRANSFER_ENCODING" in environ and environ.get("wsgi.input_terminated"):
        body = environ["wsgi.input"].read(settings.MAX_BODY_BYTES + 1)
        environ["wsgi.input"] = BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        del environ["HTTP_TRANSFER_ENCODING"]
