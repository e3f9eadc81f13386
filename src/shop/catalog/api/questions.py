"""What a request asks of the catalog, in the one form that all its spellings come to.

Two requests have one question when nothing that they ask for differs: the order of the parameters,
defaults that are spelled out, ``10`` for ``10.00``, capitals, accents and white space that the
search does not see, and parameters that nobody knows make no difference, and so no entry of their
own.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.core.exceptions import SuspiciousOperation
from django.core.signals import setting_changed
from django.http import HttpRequest, QueryDict
from rest_framework.exceptions import ValidationError

from shop.catalog import freshness
from shop.catalog.api.serializers import CategoryFilterSerializer, FilterSerializer
from shop.catalog.search import canonical
from shop.catalog.selectors import ORDERINGS, default_ordering
from shop.core.api import parameters
from shop.core.caching.entries import Question
from shop.core.fields import BIGINT_MAX
from shop.core.pagination import page_size_of
from shop.core.strictness import given

PATH = re.compile(r"/api/(?P<noun>products|categories)/(?:(?P<id>[0-9]{1,20})/)?\Z")
PATHS = {"product_list": "/api/products/", "category_list": "/api/categories/"}
REMEMBERED = 2048  # query strings, by each process
MAX_QUERY = 512  # bytes of one that is remembered
# What may be asked in any number of ways: kept from the second asking on.
ODD = frozenset({"search", "min_price", "max_price", "page_size"})
MAX_NAME = 200  # characters of an entry's name that is given in full


@dataclass(frozen=True, slots=True)
class Asked:
    """A question about the catalog.

    Attributes:
        url: what is asked for, in its canonical form; of a list, without a cursor.
    """

    question: Question
    url: str


def asked_by(request: HttpRequest) -> Asked | None:
    """Return what a GET asks; None if it is not about the catalog, or the view will refuse it."""
    path = request.path_info
    if not path.startswith(("/api/products/", "/api/categories/")):
        return None
    query = request.META.get("QUERY_STRING", "")
    return _remembered(path, query) if len(query) <= MAX_QUERY else _asked(path, query)


def _asked(path: str, query: str) -> Asked | None:
    match = PATH.match(path)
    if match is None:
        return None
    if match["id"]:
        return _one(match["noun"], int(match["id"]))
    try:
        # Bytes that are no text come from WSGI as Latin-1.
        params = given(QueryDict(query.encode("latin-1"), encoding="utf-8").dict())
        size = page_size_of(params)
        return (_products if match["noun"] == "products" else _categories)(params, size)
    except (ValidationError, SuspiciousOperation, UnicodeError):
        return None


def _one(noun: str, key: int) -> Asked | None:
    if key > BIGINT_MAX:
        return None
    if noun == "products":
        view, token = "product_detail", freshness.of_product(key)
    else:
        view, token = "category_detail", freshness.CATEGORIES
    return _about(view, str(key), token, f"/api/{noun}/{key}/")


def _products(params: Mapping[str, Any], size: int) -> Asked:
    default = default_ordering(params.get("search"))
    ordering = params.get("ordering", default)
    if ordering not in (default, *ORDERINGS):
        raise ValidationError("ordering")
    filters = parameters(FilterSerializer, params)
    token = freshness.of_list(filters["category"]) if "category" in filters else freshness.PRODUCTS
    wanted = {name: _canonical(value) for name, value in filters.items()}
    if ordering != default:
        wanted["ordering"] = ordering
    return _list("product_list", wanted, params, size=size, token=token)


def _categories(params: Mapping[str, Any], size: int) -> Asked:
    filters = parameters(CategoryFilterSerializer, params)
    return _list("category_list", filters, params, size=size, token=freshness.CATEGORIES)


def _list(
    view: str, wanted: dict[str, str], params: Mapping[str, Any], *, size: int, token: str
) -> Asked:
    if size != settings.REST_FRAMEWORK["PAGE_SIZE"]:
        wanted = {**wanted, "page_size": str(size)}
    query = urlencode(sorted(wanted.items()))
    cursor = params.get("cursor")
    name = f"{query}&cursor={cursor}" if cursor else query
    if len(name) > MAX_NAME or not name.isascii():
        name = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    is_odd = bool(cursor) or not ODD.isdisjoint(wanted)
    path = f"{PATHS[view]}?{query}" if query else PATHS[view]
    return _about(view, name, token, path, is_odd=is_odd)


def _about(view: str, name: str, token: str, path: str, *, is_odd: bool = False) -> Asked:
    tokens = [freshness.EVERYTHING, token]
    question = Question.about(view=view, name=name, tokens=tokens, is_odd=is_odd)
    return Asked(question, f"{settings.PUBLIC_URL.rstrip('/')}{path}")


def _canonical(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value.quantize(Decimal('0.01')):f}"
    return canonical(str(value))


_remembered = lru_cache(maxsize=REMEMBERED)(_asked)


def _forget(**_: Any) -> None:
    _remembered.cache_clear()


setting_changed.connect(_forget, dispatch_uid="shop.catalog.api.questions")
