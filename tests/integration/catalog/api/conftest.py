"""The catalog with its cache on, as it is outside of tests."""

from collections.abc import Callable
from secrets import token_hex
from typing import Any, TypeVar

import pytest
from rest_framework.test import APIClient

T = TypeVar("T")

Committed = Callable[[Callable[[], T]], T]


@pytest.fixture
def cached(settings: Any) -> None:
    """Turn the cache on, with keys that no other test has used."""
    prefix = {"KEY_PREFIX": f"test-{token_hex(8)}"}
    settings.CACHES = {**settings.CACHES, "default": settings.CACHES["default"] | prefix}
    settings.CATALOG_CACHE = True


@pytest.fixture
def committed(django_capture_on_commit_callbacks: Any) -> Committed[Any]:
    """Run a write, and then what would follow its commit."""

    def run(write: Callable[[], T]) -> T:
        with django_capture_on_commit_callbacks(execute=True):
            return write()

    return run


@pytest.fixture
def stranger(cached: None) -> APIClient:
    """A client without a token, whose app server has answered before."""
    client = APIClient()
    for path in ("/api/products/", "/api/categories/"):
        client.get(path)
    return client
