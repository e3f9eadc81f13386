"""Keyset pages: each starts behind the last row of the page before, whatever was added since.

A cursor is signed and bound to the path, the filters and the ordering it was made for, so that it
cannot be taken to another list. No COUNT is ever made: on a sharded table it would ask every shard.

A view may have a `query_serializer`, whose fields are its list's filters. Where the caller is
known, any other parameter is refused.

It may have a `get_list_url`: the list's URL as all who mean this list would spell it, without
what makes no difference. Its links and cursors are then the same for all of them.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast
from urllib.parse import parse_qsl, urlencode, urlsplit

from django.core import signing
from django.db.models import F, Field, Model, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.settings import api_settings
from rest_framework.utils.urls import replace_query_param

from shop.core.permissions import is_open
from shop.core.strictness import given, refuse_unknown_parameters

PARAMETERS = ("cursor", "page_size")
MAX_PAGE_SIZE = 100
PAGE_SIZE = re.compile(r"[1-9][0-9]{0,2}")
SALT = "shop.core.pagination"


class Cursor(NamedTuple):
    """Where a page begins: behind `values` of the ordering's fields, or before them."""

    values: list[str]
    backward: bool


class KeysetPagination(BasePagination):
    """Pages through a queryset ordered by `view.get_ordering()`, e.g. ``("-price", "-id")``.

    All fields of an ordering run in one direction, and together they are unique.
    """

    ordering: Sequence[str]
    next_cursor: str | None
    previous_cursor: str | None

    def paginate_queryset(
        self, queryset: QuerySet[Any], request: Request, view: Any = None
    ) -> list[Any]:
        # A view whose answers many share says what its links are made of; see below.
        canonical = view.get_list_url() if hasattr(view, "get_list_url") else None
        self.url = canonical or request.build_absolute_uri()
        self.scope = _scope(self.url)
        self.ordering = view.get_ordering()
        params = given(request.query_params.dict())
        if not is_open(view, request.method):
            filters = getattr(view, "query_serializer", Serializer)().fields
            refuse_unknown_parameters(request, (*PARAMETERS, *filters))
        size = page_size_of(params)
        cursor = self._decode(params.get("cursor"))
        backward = cursor is not None and cursor.backward
        ordering = [_reversed(name) for name in self.ordering] if backward else self.ordering
        if cursor:
            queryset = queryset.filter(_behind(queryset, ordering, cursor.values))
        rows = list(queryset.order_by(*map(_expression, ordering))[: size + 1])
        more = len(rows) > size
        rows = rows[:size][::-1] if backward else rows[:size]
        self.next_cursor = self._encode(rows, -1, False) if more or backward else None
        has_previous = more if backward else cursor is not None
        self.previous_cursor = self._encode(rows, 0, True) if has_previous else None
        return rows

    def get_paginated_response(self, data: Any) -> Response:
        return Response(
            {
                "next": self._link(self.next_cursor),
                "previous": self._link(self.previous_cursor),
                "results": data,
            }
        )

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {"next": link, "previous": link, "results": schema},
        }

    def _encode(self, rows: list[Model], index: int, backward: bool) -> str | None:
        if not rows:
            return None
        values = [_text(rows[index], name) for name in self.ordering]
        # Without the time, which signing.dumps adds: a page that stays the same keeps its ETag.
        cursor = [self.scope, list(self.ordering), values, backward]
        return signing.Signer(salt=SALT).sign_object(cursor)

    def _decode(self, text: str | None) -> Cursor | None:
        if not text:
            return None
        try:
            scope, ordering, values, backward = signing.Signer(salt=SALT).unsign_object(text)
        except (signing.BadSignature, TypeError, ValueError):  # not ours, or of another release
            scope = ordering = None
        if (scope, ordering) != (self.scope, list(self.ordering)):
            raise ValidationError({"cursor": ["This cursor does not belong to this list."]})
        return Cursor(values, backward)

    def _link(self, cursor: str | None) -> str | None:
        return replace_query_param(self.url, "cursor", cursor) if cursor else None


def _scope(url: str) -> str:
    """Return the path with the filters, in one order, without what may change between pages."""
    parts = urlsplit(url)
    filters = sorted(
        (name, value)
        for name, value in parse_qsl(parts.query)
        if name not in ("cursor", "page_size")
    )
    return f"{parts.path}?{urlencode(filters)}"


def page_size_of(params: Mapping[str, str]) -> int:
    """Return how many rows a page shall have, or raise ValidationError."""
    text = params.get("page_size", str(api_settings.PAGE_SIZE))
    if PAGE_SIZE.fullmatch(text) and int(text) <= MAX_PAGE_SIZE:
        return int(text)
    raise ValidationError({"page_size": [f"A number from 1 to {MAX_PAGE_SIZE} is needed."]})


def _reversed(name: str) -> str:
    return name[1:] if name.startswith("-") else f"-{name}"


def _expression(name: str) -> Any:
    field = F(name.lstrip("-"))
    return field.desc() if name.startswith("-") else field.asc()


def _behind(queryset: QuerySet[Any], ordering: Sequence[str], values: list[str]) -> Q:
    """Return the predicate for the rows behind these values.

    ``a >= x AND (a > x OR (a = x AND (b > y)))``: the first part is redundant, and lets an index
    on (a, b) begin its scan at x.
    """
    names = [name.lstrip("-") for name in ordering]
    operator = "lt" if ordering[0].startswith("-") else "gt"
    parsed = [
        _field(queryset, name).to_python(value) for name, value in zip(names, values, strict=True)
    ]
    condition = Q(**{f"{names[-1]}__{operator}": parsed[-1]})
    for name, value in list(zip(names, parsed, strict=True))[-2::-1]:
        condition = Q(**{f"{name}__{operator}": value}) | (Q(**{name: value}) & condition)
    if len(names) > 1:
        condition = Q(**{f"{names[0]}__{operator}e": parsed[0]}) & condition
    return condition


def _field(queryset: QuerySet[Any], name: str) -> "Field[Any, Any]":
    """Return the type of what is ordered by: a column, or a value that the query computes."""
    computed = queryset.query.annotations.get(name)
    return computed.output_field if computed else cast("Any", queryset.model._meta.get_field(name))


def _text(row: Model, name: str) -> str:
    value = getattr(row, name.lstrip("-"))
    return str(value.isoformat() if hasattr(value, "isoformat") else value)
