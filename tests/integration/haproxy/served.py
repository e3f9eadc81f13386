"""The shop as gunicorn serves it, but ready without any database."""

from collections.abc import Callable, Iterable
from typing import Any

from shop.config.wsgi import application as shop


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    if environ["PATH_INFO"] == "/health/ready":
        start_response("200 OK", [("Content-Length", "0")])
        return []
    return shop(environ, start_response)
