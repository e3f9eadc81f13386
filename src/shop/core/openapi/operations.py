"""What an endpoint cannot say of itself: its name, its examples, what it refuses."""

from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType
from typing import Any, Literal, NamedTuple

from django.apps import apps
from rest_framework.serializers import BaseSerializer

from shop.core.errors import DomainError


class Refusal(NamedTuple):
    """A code with the status it comes under, and what it means."""

    status: int
    code: str
    meaning: str


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One method of one path, as a client reads it.

    Args:
        id: stable; generated clients name their functions by it.
        tag: the chapter; `TAGS` of the room's module says what it is about.
        body: what the request holds, and `sends` an example of it.
        query: the serializer of the query parameters.
        returns: what the answer holds (with ``many=True``: a list), and `example` one of it.
        status: of success.
        errors: what the use case raises; what every endpoint can answer is known already.
        paged: whether the answer is a keyset page of `returns`.
        orderings: the values of the `ordering` parameter, the first being the default.
        idempotent: whether an Idempotency-Key is required, or kept if the client sends one.
        located: whether the answer has a Location header.
        says: further headers of the answer.
        security: the name of the security scheme, for who needs one.
        versioned: whether the answer always has the ETag that the next update compares; where
            If-Match is about another resource, it has not.
        deprecated: whether it is going to be removed; see `shop.core.deprecation`.
    """

    id: str
    summary: str
    tag: str
    description: str = ""
    body: Any = None
    sends: Any = None
    query: type[BaseSerializer[Any]] | None = None
    returns: Any = None
    example: Any = None
    status: int = 200
    errors: tuple[type[DomainError] | Refusal, ...] = ()
    paged: bool = False
    orderings: tuple[str, ...] = ()
    idempotent: Literal["", "required", "optional"] = ""
    located: bool = False
    says: tuple[str, ...] = ()
    security: str = "bearer"
    versioned: bool = True
    deprecated: bool = False


def operation_of(view: object, method: str) -> Operation | None:
    """Return what a room says of this view's method; a view inherits what its bases have."""
    for cls in type(view).__mro__:
        room, _, inside = cls.__module__.partition(".api.")
        if inside and (found := _table(room).get(f"{cls.__name__}.{method.lower()}")):
            return found
    return None


def tags() -> list[dict[str, str]]:
    """Return the chapters of the document in the order of the rooms."""
    return [
        {"name": name, "description": description}
        for module in _modules()
        for name, description in getattr(module, "TAGS", {}).items()
    ]


def problem_members() -> dict[str, dict[str, Any]]:
    """Return an example of what problems of a code carry besides the usual members."""
    members: dict[str, dict[str, Any]] = {}
    for module in _modules():
        members |= getattr(module, "PROBLEM_MEMBERS", {})
    return members


def outgoing() -> dict[str, Any]:
    """Return what the rooms tell others by themselves, as the document's `webhooks`."""
    told: dict[str, Any] = {}
    for module in _modules():
        told |= getattr(module, "OUTGOING", {})
    return told


def further_schemas() -> dict[str, Any]:
    """Return the schemas of the rooms that no serializer makes."""
    schemas: dict[str, Any] = {}
    for module in _modules():
        schemas |= getattr(module, "SCHEMAS", {})
    return schemas


def described() -> set[str]:
    """Return the name of everything that is described, e.g. ``shop.carts:CartView.get``."""
    return {
        f"{module.__name__.partition('.api.')[0]}:{name}"
        for module in _modules()
        for name in module.OPERATIONS
    }


def _table(room: str) -> dict[str, Operation]:
    module = _module(room)
    return module.OPERATIONS if module else {}


def _modules() -> list[ModuleType]:
    rooms = [app.name for app in apps.get_app_configs() if app.name.startswith("shop.")]
    return [module for room in rooms if (module := _module(room))]


@cache
def _module(room: str) -> ModuleType | None:
    name = f"{room}.api.schema"
    try:
        spec = find_spec(name)
    except ModuleNotFoundError:  # the room has no api
        return None
    return import_module(name) if spec else None


def page_of(row: object, path: str) -> dict[str, Any]:
    """Return an example of a first page with this row."""
    following = f"http://127.0.0.1:8080{path}?cursor=WyIvYXBpLy4uLiJd"
    return {"next": following, "previous": None, "results": [row]}
