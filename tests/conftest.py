"""The cast and the tools of all tests.

Ana, Bo and Cleo are customers, Sam is staff (an admin).
"""

from collections.abc import Callable
from decimal import Decimal

import pytest
from django.db import connection
from rest_framework.test import APIClient

from shop.accounts import services as accounts
from shop.accounts import tokens
from shop.accounts.models import User
from shop.catalog import services as catalog
from shop.catalog.models import Category, Product
from shop.core.roles import Role
from shop.inventory import services as inventory
from tests.native import (
    pytest_collection_modifyitems,
    pytest_report_header,
    pytest_runtest_makereport,
    pytest_terminal_summary,
)

__all__ = [
    "pytest_collection_modifyitems",
    "pytest_report_header",
    "pytest_runtest_makereport",
    "pytest_terminal_summary",
]

PASSWORD = "correct horse battery staple"

MakeProduct = Callable[..., Product]


def has_citus() -> bool:
    """Tell whether the test database is a Citus cluster; it must exist already."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_extension WHERE extname = 'citus'")
        return cursor.fetchone() is not None


def _user(name: str, role: Role = Role.CUSTOMER) -> User:
    return accounts.register(
        username=name, email=f"{name}@example.com", password=PASSWORD, role=role
    )


@pytest.fixture
def ana(db: None) -> User:
    return _user("ana")


@pytest.fixture
def bo(db: None) -> User:
    return _user("bo")


@pytest.fixture
def cleo(db: None) -> User:
    return _user("cleo")


@pytest.fixture
def sam(db: None) -> User:
    return _user("sam", Role.ADMIN)


@pytest.fixture
def client() -> APIClient:
    """A client without a token."""
    return APIClient()


@pytest.fixture
def as_user() -> Callable[[User], APIClient]:
    """Make a client that carries a user's access token."""

    def make(user: User) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {tokens.issue(user).access}")
        return client

    return make


@pytest.fixture
def category(db: None) -> Category:
    return catalog.create_category(name="Books")


@pytest.fixture
def make_product(category: Category) -> MakeProduct:
    """Make products, each with so many units on the shelf."""

    def make(name: str = "A book", *, price: str = "10.00", stock: int = 0) -> Product:
        product = catalog.create_product(
            name=name, slug=name.lower().replace(" ", "-"), price=Decimal(price), category=category
        )
        if stock:
            inventory.adjust(product_id=product.id, delta=stock, reason="receipt")
        return product

    return make
