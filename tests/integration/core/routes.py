"""Every route of the URL map, so that a new one is tested without being named."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from rest_framework.serializers import BaseSerializer, Serializer

from shop.core.openapi.operations import operation_of

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
BODY_METHODS = ("POST", "PUT", "PATCH")

# A value that each field accepts; one that is missing here gets a plain text.
ACCEPTABLE: dict[str, Any] = {
    "username": "dora",
    "email": "dora@example.com",
    "password": "a rather long passphrase",
    "name": "A thing",
    "price": "9.99",
    "category_id": 1,
    "parent_id": None,
    "product_id": 1,
    "quantity": 1,
    "delta": 1,
    "reason": "receipt",
    "rating": 5,
    "payment_method": "card",
}


@dataclass(frozen=True)
class Route:
    """A path with placeholders, and the view behind it."""

    template: str
    converters: tuple[tuple[str, str], ...]
    view: Callable[..., Any]

    def __str__(self) -> str:
        return self.template

    def path(self, **values: object) -> str:
        """Return the path with the value for each type of placeholder."""
        path = self.template
        for name, kind in self.converters:
            path = path.replace(f"<{kind}:{name}>", str(values[kind]))
        return path

    def takes(self, method: str) -> bool:
        """Tell whether the view has a handler for this method."""
        return hasattr(self.view.view_class, method.lower())  # type: ignore[attr-defined]


def _walk(patterns: list[Any], prefix: str = "/") -> Iterator[Route]:
    for pattern in patterns:
        path = prefix + str(pattern.pattern)
        if isinstance(pattern, URLResolver):
            yield from _walk(pattern.url_patterns, path)
        elif isinstance(pattern, URLPattern):
            kinds = {name: _kind(c) for name, c in pattern.pattern.converters.items()}
            yield Route(path, tuple(kinds.items()), pattern.callback)


def _kind(converter: Any) -> str:
    return type(converter).__name__.removesuffix("Converter").lower()


def all_routes() -> Iterator[Route]:
    """Return every route of the URL map."""
    return _walk(get_resolver().url_patterns)


def api_routes(*, with_placeholder: str = "") -> list[Route]:
    """Return the routes under /api/ whose views are REST framework's.

    Args:
        with_placeholder: keep those whose path has one of this kind, e.g. ``uuid``.
    """
    return [
        route
        for route in all_routes()
        if route.template.startswith("/api/") and hasattr(route.view, "cls")
        if not with_placeholder or f"<{with_placeholder}:" in route.template
    ]


def handled(*methods: str) -> list[tuple[Route, str]]:
    """Return each route with each of the methods that its view has a handler for."""
    return [(route, method) for route in api_routes() for method in methods if route.takes(method)]


@cache
def field_names() -> tuple[str, ...]:
    """Return the names of all writable fields of all serializers of the shop."""
    names: set[str] = set()
    for serializer in _subclasses(Serializer):
        if serializer.__module__.startswith("shop."):
            names |= {name for name, field in serializer().fields.items() if not field.read_only}
    return tuple(sorted(names))


def _subclasses(base: type[BaseSerializer]) -> Iterator[type[Serializer]]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from _subclasses(subclass)


def taken_fields(route: Route, method: str) -> set[str]:
    """Return the names of the fields that the body of an operation may have."""
    told = operation_of(route.view.view_class(), method)  # type: ignore[attr-defined]
    if told is None or told.body is None:
        return set()
    serializer = told.body() if isinstance(told.body, type) else told.body
    return {name for name, field in serializer.fields.items() if not field.read_only}


def acceptable_body() -> dict[str, Any]:
    """Return a body that has an acceptable value for every field of every serializer."""
    return {name: ACCEPTABLE.get(name, "text") for name in field_names()}
