"""Staff in front of a browser: Sam is an admin, Cat keeps the catalog, Sue is in support."""

from collections.abc import Callable

import pytest
from django.test import Client

from shop.accounts import services as accounts
from shop.accounts.models import User
from shop.core.roles import Role
from tests.conftest import PASSWORD

Open = Callable[[User], Client]


def _staff(name: str, role: Role) -> User:
    return accounts.register(
        username=name, email=f"{name}@example.com", password=PASSWORD, role=role
    )


@pytest.fixture
def cat(db: None) -> User:
    return _staff("cat", Role.CATALOG_MANAGER)


@pytest.fixture
def sue(db: None) -> User:
    return _staff("sue", Role.SUPPORT)


@pytest.fixture
def browser() -> Open:
    """Make a browser in which somebody is logged in."""

    def make(user: User) -> Client:
        client = Client()
        client.force_login(user)
        return client

    return make
